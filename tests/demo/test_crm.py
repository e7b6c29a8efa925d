"""The simulated CRM knows the shop's people imperfectly, moves with its clock, and pages completely."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lifehouse.demo import crm, package
from lifehouse.demo.crm_contacts import LEADS, LEADS_A_NIGHT, TYPOS
from lifehouse.demo.crm_desk import LATE_ANSWERS, LATE_TICKETS
from lifehouse.demo.crm_life import LATE_WITHDRAWALS
from lifehouse.demo.crm_server import Desk, create_app
from lifehouse.demo.nights import NIGHTS
from lifehouse.demo.people import FIRST_LEAD, person
from lifehouse.demo.serving import Token

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def world() -> crm.World:
    return crm.build()


@pytest.fixture(scope="module")
def nights(world: crm.World) -> list[Tables]:
    return [world.at(night) for night in NIGHTS]


@pytest.fixture
def api(world: crm.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("LIFEHOUSE_CRM_TOKEN", "t0ken")
    app = create_app(Desk(world, tmp_path / "clock.json"), Token("LIFEHOUSE_CRM_TOKEN"))
    return TestClient(app, headers={"Authorization": "Bearer t0ken"})


def _all(api: TestClient, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while address:
        answer = api.get(address).raise_for_status().json()
        found += answer["results"]
        address = answer["next"]
    return found


def _identifiers(record: dict[str, Any]) -> set[str]:
    digits = "".join(c for c in record["phone"] or "" if c.isdigit())[-10:]
    email = (record["email"] or "").strip().lower()
    return {email, digits, record["loyalty_card"] or ""} - {""}


def test_it_overlaps_the_shop_imperfectly(nights: list[Tables]) -> None:
    households = package.read().households
    contacts = nights[0]["contacts"]
    known = Counter(contact["contact_id"] % 10_000 for contact in contacts if contact["contact_id"] < 30_000)
    truth = {household: person(household) for household in households}
    assert 0.75 < len(known) / len(households) < 0.85
    assert 100 < sum(count == 2 for count in known.values()) < 200
    assert sum(contact["contact_id"] >= 30_000 for contact in contacts) == LEADS + LEADS_A_NIGHT
    shared = spelt = shouted = 0
    for contact in contacts:
        if contact["contact_id"] < 30_000:
            who = truth[contact["contact_id"] % 10_000]
            shared += bool(_identifiers(contact) & {who.email, who.phone[2:], who.loyalty_card})
            spelt += (contact["first_name"], contact["last_name"]) != (who.first_name, who.last_name)
            shouted += (contact["email"] or "") != (contact["email"] or "").strip().lower()
    ours = sum(known.values())
    assert 0.85 < shared / ours < 0.97
    assert 0.15 < spelt / ours < 0.40
    assert 0.15 < shouted / ours < 0.35


def test_no_contact_carries_another_persons_identifier(world: crm.World) -> None:
    owners: dict[str, set[int]] = {}
    for versions in world.tables["contacts"]:
        for record in versions:
            number = record["contact_id"] % 10_000 + (FIRST_LEAD if record["contact_id"] >= 30_000 else 0)
            for identifier in _identifiers(record):
                owners.setdefault(identifier, set()).add(number)
    assert max(map(len, owners.values())) == 1
    everyone = [person(number) for number in package.read().households]
    assert all(owners.get(who.email, {who.number}) == {who.number} for who in everyone)


def test_thousands_of_records_of_each_kind(nights: list[Tables]) -> None:
    assert {table: len(rows) > 1_000 for table, rows in nights[0].items()} == dict.fromkeys(crm.KEYS, True)
    for tables in nights:
        for table, rows in tables.items():
            assert not any(row["updated_at"].microsecond for row in rows)
            assert len({row[crm.KEYS[table]] for row in rows}) == len(rows)


def test_the_pipeline_is_a_chain(nights: list[Tables]) -> None:
    stage: dict[int, str | None] = {}
    for change in sorted(nights[2]["stage_changes"], key=lambda c: (c["changed_at"], c["change_id"])):
        assert change["previous_stage"] == stage.get(change["contact_id"])
        assert change["stage"] != change["previous_stage"]
        stage[change["contact_id"]] = change["stage"]
    assert set(stage.values()) == {"lead", "opportunity", "customer", "at_risk", "lost"}


@pytest.mark.parametrize("number", [1, 2])
def test_each_later_night_brings_new_late_and_corrected_records(nights: list[Tables], number: int) -> None:
    last, night = NIGHTS[number - 1], NIGHTS[number]
    before = {c["contact_id"]: c for c in nights[number - 1]["contacts"]}
    fresh = {table: [r for r in rows if r["updated_at"] >= last] for table, rows in nights[number].items()}
    assert all(row["updated_at"] < night for rows in fresh.values() for row in rows)
    assert sum(c["contact_id"] not in before for c in fresh["contacts"]) == LEADS_A_NIGHT
    fixed = [
        c
        for c in fresh["contacts"]
        if c["contact_id"] in before and c["email"] != before[c["contact_id"]]["email"]
    ]
    assert len(fixed) == TYPOS
    assert all(c["email"] == person(c["contact_id"] % 10_000).email for c in fixed)
    week, day = night - timedelta(days=12), last - timedelta(hours=12)
    withdrawn = [c for c in fresh["consents"] if c["changed_at"] < c["updated_at"]]
    assert len(withdrawn) == LATE_WITHDRAWALS
    assert {c["status"] for c in withdrawn} == {"withdrawn"}
    old = {t["ticket_id"] for t in nights[number - 1]["tickets"]}
    late = [t for t in fresh["tickets"] if t["ticket_id"] not in old and week < t["opened_at"] < day]
    assert len(late) == LATE_TICKETS
    answers = [a for a in fresh["surveys"] if a["survey"] == "nps" and a["answered_at"] < a["updated_at"]]
    assert len(answers) == LATE_ANSWERS


@pytest.mark.parametrize("table", list(crm.KEYS))
def test_pages_are_complete_and_without_repeats(api: TestClient, nights: list[Tables], table: str) -> None:
    read = [record[crm.KEYS[table]] for record in _all(api, f"/{table}?limit=400")]
    assert read == [record[crm.KEYS[table]] for record in nights[0][table]]


def test_updated_since_gives_what_changed_from_there_on(api: TestClient, nights: list[Tables]) -> None:
    assert api.post("/demo/as_of", json={"as_of": "2017-12-30"}).json()["as_of"] == NIGHTS[1].isoformat()
    since = NIGHTS[0].isoformat().replace("+", "%2B")
    read = {record["contact_id"] for record in _all(api, f"/contacts?updated_since={since}&limit=7")}
    assert read == {c["contact_id"] for c in nights[1]["contacts"] if c["updated_at"] >= NIGHTS[0]}
    assert read


def test_what_changes_while_it_is_read_is_not_lost(api: TestClient, nights: list[Tables]) -> None:
    first = api.get("/contacts?limit=1000").json()
    api.post("/demo/as_of", json={"as_of": NIGHTS[2].isoformat()})
    read = {record["contact_id"]: record for record in [*first["results"], *_all(api, first["next"])]}
    assert {key: record["email"] for key, record in read.items()} == {
        record["contact_id"]: record["email"] for record in nights[2]["contacts"]
    }


def test_the_clock_survives_a_restart(world: crm.World, tmp_path: Path) -> None:
    Desk(world, tmp_path / "clock.json").turn(NIGHTS[2])
    assert Desk(world, tmp_path / "clock.json").as_of == NIGHTS[2]


def test_the_clock_never_goes_back(api: TestClient) -> None:
    api.post("/demo/as_of", json={"as_of": "2017-12-31"})
    assert api.post("/demo/as_of", json={"as_of": "2017-12-29"}).json()["as_of"] == NIGHTS[2].isoformat()


def test_it_says_that_it_is_a_simulator_and_wants_a_token(api: TestClient) -> None:
    assert api.get("/", headers={"Authorization": ""}).json()["simulator"] is True
    assert api.get("/contacts", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert (
        api.post("/demo/as_of", json={"as_of": "2018-01-01"}, headers={"Authorization": ""}).status_code
        == 401
    )
    assert api.get("/nothing").status_code == 404
    assert api.get("/contacts?updated_since=yesterday").status_code == 422
