"""An identifier that suddenly names a crowd, and addresses that are none, close the raw gate; families and events do not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lifehouse.errors import GateClosed
from lifehouse.ingest import profile, rhythm
from lifehouse.ingest.declaration import find_source
from lifehouse.ingest.raw import Place

PEOPLE = """
kind: sql
connection: {url: "${TEST_SHOP_URL}", schema: public}
tables:
  people:
    key: [person_id]
    cursor: updated_at
    columns:
      person_id: {type: bigint, required: true, personal: id}
      email: {type: text, personal: email}
      phone: {type: text, personal: phone}
      card: {type: text, personal: id}
      visitor: {type: text, personal: id}
      updated_at: {type: timestamptz, required: true}
"""
#: Two hundred people and families of four at one address; each visitor comes ten times.
TABLE = """
create table people as
select
    n as person_id, 'p' || n - case when n % 20 < 4 then n % 20 else 0 end || '@example.org' as email,
    '+49 30 555 ' || 1000 + n as phone, 'L' || n as card, 'v' || n / 10 as visitor,
    timestamptz '2024-01-01' + n * interval '1 hour' as updated_at
from generate_series(1, 200) as n
"""
TOUCHED = ", updated_at = timestamptz '2024-02-01' + person_id * interval '1 minute' where person_id <= 40"
NIGHTS = {
    "touched alone": ("", {}),
    "the company's own address": ("email = 'info@example.com'", {"email": "critical"}),
    "no address at all": ("email = ''", {}),
    "a card for every other": (
        "card = case when person_id % 2 = 0 then 'L0' else card end",
        {"card": "critical"},
    ),
    "a default number": ("phone = '000 000 0000'", {"phone": "critical"}),
    "a family of sixteen": ("email = case when person_id < 17 then 'f@example.org' else email end", {}),
    "a busy visitor": ("visitor = 'v1'", {}),
}


@pytest.fixture
def people(make_house: Any, shop_database: Any) -> Any:
    """A house with the two hundred accepted."""
    house = make_house(PEOPLE)
    shop_database.run(TABLE)
    house.judged_night()
    assert house.rows("select expectation from control.quality_results where not success") == []
    return house


def test_one_value_for_many_is_critical_and_what_was_so_before_is_not(
    people: Any, shop_database: Any
) -> None:
    shop_database.run(f"update people set card = card {TOUCHED}")
    load_id = people.ingest().load_id
    place = Place(find_source(people.ctx.project, "shop"), "people")
    for name, (change, expected) in NIGHTS.items():
        with people.ctx.warehouse.connect() as connection:
            if change:
                connection.execute(f"update raw_shop.people set {change} where _load_id = {load_id}")
            profile.write(connection, [place], load_id, "UTC")
            figures = [
                each
                for each in rhythm.judge(connection, [place], load_id, "UTC")["people"]
                if each.measure == "crowd"
            ]
            for column in ("email", "phone", "card"):
                values = connection.execute(
                    f"select {column} from raw_shop.people where _load_id = {load_id} and {column} <> ''"
                ).fetchall()
                if values:
                    most = Counter(values).most_common(1)[0][1] / len(values)
                    assert [each.found for each in figures if each.column == column] == [most], name
            connection.rollback()
        assert {each.column: each.severity for each in figures if each.severity} == expected, name
        assert {each.column for each in figures} <= {"email", "phone", "card"}, name


def test_a_person_may_accept_a_shared_address_which_then_is_usual(people: Any, shop_database: Any) -> None:
    from lifehouse.ingest import decisions

    shop_database.run(f"update people set email = 'info@example.com' {TOUCHED}")
    with pytest.raises(GateClosed) as closed:
        people.judged_night()
    (told,) = closed.value.failures
    assert told.startswith(
        "shop.people.email: share of records that have one and the same value: 100.0% came"
    )
    assert "example" not in told
    decisions.settle(
        people.ctx, people.value("select max(load_id) from control.loads"), "accepted", by="ann", reason="so"
    )
    shop_database.run(f"update people set card = card || 'x' {TOUCHED.replace('02-01', '02-02')}")
    people.judged_night()


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("email = 'mailto:' || email", "email"),
        ("email = phone, phone = email", "email"),
        ("email = 'Ann <' || email || '>'", "email"),
        ("phone = 'ask at the desk'", "phone"),
    ],
)
def test_addresses_that_are_none_close_the_gate(
    make_house: Any, shop_database: Any, change: str, column: str
) -> None:
    house = make_house(PEOPLE)
    shop_database.run(TABLE)
    shop_database.run(f"update people set {change} where person_id % 3 = 0")
    with pytest.raises(
        GateClosed, match=rf"shop\.people\.{column}: share of values that are no e-mail address"
    ):
        house.judged_night()


def test_a_few_mistyped_addresses_and_spaces_around_them_do_not(make_house: Any, shop_database: Any) -> None:
    house = make_house(PEOPLE)
    shop_database.run(TABLE)
    shop_database.run(
        "update people set email = ' ' || upper(email) || ' ', phone = '(030) 555-' || 1000 + person_id"
    )
    shop_database.run("update people set email = 'none' where person_id % 40 = 0")
    house.judged_night()
