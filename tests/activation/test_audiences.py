"""Advertising audiences: what a request holds, what a refusal costs, how long a limit lasts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulated import Fault
from vendors_audiences import GoogleAudiences, MetaAudiences
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import catalog, declaration, reading, template
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.context import Context
from lifehouse.errors import ConfigError, PlatformError

META = catalog.find("meta_audiences", Path())
USAGE = {
    "12": [{"type": "custom_audience", "call_count": 100, "estimated_time_to_regain_access": 3}],
    "13": [],
}


@pytest.fixture
def meta() -> Iterator[MetaAudiences]:
    with MetaAudiences() as running:
        yield running


@pytest.fixture
def company(make_context: Callable[..., Context], meta: MetaAudiences, tmp_path: Path) -> World:
    world = World.founded(
        make_context, tmp_path / "project", PlatformConnection(meta.url, secret=meta.secret)
    )
    world.declare(
        platform="meta_audiences",
        options=meta.options,
        fields=meta.fields,
        sending={"backoff": "1ms"},
        **meta.sync,
    )
    return world


def test_a_table_has_the_columns_of_any_row_and_what_is_not_known_is_left_blank() -> None:
    shape = {"EMAIL": "{key}", "...": "{fields|text}"}
    rows = [{"key": "k1", "fields": {"FN": None}}, {"key": "k2", "fields": {"FN": "x", "LN": "y"}}]
    assert template.fill({"names": shape}, {}, rows) == ["EMAIL", "FN", "LN"]
    assert template.fill({"lines": shape}, {}, rows) == [["k1", "", ""], ["k2", "x", "y"]]


def test_an_address_that_is_not_complete_is_no_identifier() -> None:
    shape = {"apart": {"emailAddress": "{key}", "...": "{fields|nested}"}}
    fields = {"phoneNumber": None, "address.givenName": "a", "address.postalCode": None}
    assert template.fill(shape, {"key": "k", "fields": fields}) == [{"emailAddress": "k"}]
    whole = {**fields, "phoneNumber": "p", "address.postalCode": "1"}
    assert template.fill(shape, {"key": "k", "fields": whole}) == [
        {"emailAddress": "k"},
        {"phoneNumber": "p"},
        {"address": {"givenName": "a", "postalCode": "1"}},
    ]


def test_a_call_is_a_whole_session_of_its_own(company: World, meta: MetaAudiences) -> None:
    company.people(3)
    meta.faults.append(Fault(reset=True, applied=True))
    company.sync()
    first, again = (asked.body["session"] for asked in meta.asked)
    assert first == again
    assert first["session_id"] < 1 << 53
    assert (first["batch_seq"], first["last_batch_flag"], first["estimated_num_total"]) == (1, True, 3)


def test_a_platform_that_counts_the_invalid_is_asked_for_fewer_until_they_are_found(
    company: World, meta: MetaAudiences
) -> None:
    keys = set(company.people(16))
    meta.refused = {"c0005@example.com"}
    done = company.sync()
    assert (done.confirmed, done.refused, done.calls) == (15, 1, 9)  # halves of 16 rows, down to one
    assert meta.members == keys - meta.refused
    assert company.ctx.warehouse.value("select reason from activation.ledger where status = 'refused'")


def test_whom_google_may_know_by_any_identifier_is_removed_by_all_of_them(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with GoogleAudiences() as google:
        account = PlatformConnection(google.url, google.login, google.secret, google.extra)
        world = World.founded(make_context, tmp_path / "google", account)
        named = {"platform": "google_audiences", "options": google.options, "fields": google.fields}
        world.declare(**named, **google.sync, sending={"backoff": "1ms", "attempts": 1, "patience": "50ms"})
        world.people(7)
        world.sync()
        ingested = {google.key_of(row): row for row in google.rows_of("ingest")}
        assert {len(row) for row in ingested.values()} == {2}, "an address beside the key"

        world.leave(["c0001"])
        world.consent("c0002", "withdrawn")
        world.sql("update marts.customers set email = 'moved@example.com' where customer_id = 'c0003'")
        world.sql("delete from marts.customers where customer_id = 'c0004'")
        world.merge("c0005", "c0006")
        world.leave(["c0006"])
        world.sync()
        removed = {google.key_of(row)[:5]: row for row in google.rows_of("remove")}
        assert removed.keys() == {"c0001", "c0002", "c0003", "c0004", "c0005", "c0006"}
        for known in ("c0001", "c0002", "c0006"):
            assert removed[known] == ingested[f"{known}@example.com"]
        assert len(removed["c0003"]) == 1, "who stays under another address loses the old one alone"
        assert len(removed["c0004"]) == 1, "of one who is erased nothing is known but the key"
        assert removed["c0005"][1] == removed["c0006"][1], "who was merged is who they are now"
        assert google.members == {"moved@example.com", "c0007@example.com"}
        held = "select count(*) from activation.outbox where fields is not null"
        assert world.ctx.warehouse.value(held) == 0, "nothing of anybody is kept"

        world.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0007'")
        google.faults.extend([Fault(reset=True, applied=True)] * 20)
        with pytest.raises(PlatformError):
            world.sync()
        google.faults.clear()
        world.consent("c0007", "withdrawn")
        google.asked.clear()
        world.sync()
        taken_back = google.rows_of("remove")
        assert [len(row) for row in taken_back] == [2], "who was in flight is removed by what was sent"
        assert google.members == {"moved@example.com"}


def test_a_removal_that_names_fields_has_to_ask_for_them(tmp_path: Path) -> None:
    shipped = (catalog.SHIPPED / "google_audiences.yml").read_text(encoding="utf-8")
    file = tmp_path / "google_audiences.yml"
    file.write_text(shipped.replace("removals_have_fields: true", ""), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"calls\.remove\.body.*a removal has no \{fields\}, unless you write"
    ):
        declaration.load(file)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (400, {"X-Business-Use-Case-Usage": json.dumps(USAGE)}, 180),
        (400, {"X-Business-Use-Case-Usage": json.dumps(USAGE), "Retry-After": "7"}, 7),
        (400, {"X-Business-Use-Case-Usage": "no JSON"}, None),
        (429, {}, None),
    ],
)
def test_a_limit_lasts_as_long_as_the_usage_header_says(
    status: int, headers: dict[str, str], expected: float | None
) -> None:
    assert META
    body = {"error": {"code": 80003, "message": "too many calls"}}
    response = httpx.Response(status, headers=headers, json=body)
    with pytest.raises(TryAgain) as told:
        reading.verdict(response, META.calls["join"].answer, "https://here", pause=META.limits.pause)
    assert told.value.is_limit
    assert told.value.wait == expected


def test_an_audience_that_is_closed_ends_the_sync_with_the_reason(
    company: World, meta: MetaAudiences, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.people(5)
    error = {
        "code": 100,
        "error_subcode": 1713230,
        "error_user_msg": "resolve the restrictions of this audience",
    }
    monkeypatch.setattr(MetaAudiences, "answer", lambda *_: (400, {"error": error}))
    with pytest.raises(PlatformError, match=r"takes nothing from us .*: resolve the restrictions"):
        company.sync()
    assert len(meta.asked) == 1
    assert company.open_rows() == 5


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"column": "status_stage", "hash": "sha256", "rules": "meta"}, "is no e-mail, phone or name"),
        (
            {"column": "status_stage", "hash": "sha256", "kind": "city"},
            "Google takes where people live as it is",
        ),
    ],
)
def test_a_hash_that_no_platform_matches_is_refused(
    company: World, field: dict[str, Any], words: str
) -> None:
    company.declare(fields={"CT": field})
    with pytest.raises(ConfigError, match=rf"push.yml:\d+: .*{words}"):
        company.sync()
