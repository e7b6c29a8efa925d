"""A load is judged by its source's own history: clean nights pass, each kind of corruption is told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
import pytest

from lifehouse.errors import GateClosed
from lifehouse.ingest import profile, rhythm
from lifehouse.ingest.declaration import find_source
from lifehouse.ingest.raw import Place

SHOP = """
kind: sql
connection: {url: "${TEST_SHOP_URL}", schema: public}
tables:
  orders:
    key: [order_id]
    cursor: updated_at
    columns:
      order_id: {type: bigint, required: true}
      customer: {type: bigint, required: true}
      email: {type: text}
      name: {type: text}
      city: {type: text}
      currency: {type: text, required: true, in: [USD, EUR]}
      amount: {type: "numeric(12,2)", min: 0}
      ordered_at: {type: timestamptz, required: true}
      updated_at: {type: timestamptz, required: true}
"""
#: 60 days of a shop that is open from 9 to 19 o'clock, quieter on Sundays; then one more day.
ORDERS = """
create table orders as
select
    (1000 + day) * 1000 + n as order_id, (hashint8(day * 977 + n) % 500 + 500)::bigint as customer,
    'person' || (n * 7 + day) % 500 || '@example.org' as email,
    (array['Ann', 'Ben', 'Cam', 'Zoë'])[n % 4 + 1] || ' ' || n as name,
    (array['Aachen', 'Bonn', 'Celle'])[abs(hashint8(n + day * 31)) % 3 + 1] as city,
    case when n % 5 = 0 then 'EUR' else 'USD' end as currency,
    (5 + abs(hashint8(n * 13 + day)) % 4000 / 100.0)::numeric(12, 2) as amount,
    timestamptz '2024-01-01 09:00' + day * interval '1 day' + n * interval '10 hours' / 630 as ordered_at,
    timestamptz '2024-01-01 09:01' + day * interval '1 day' + n * interval '10 hours' / 630 as updated_at
from
    generate_series({first}, {last}) as day,
    generate_series(1, case when day % 7 = 6 then 300 else 600 end + abs(hashint8(day)) % 30) as n
"""
CORRUPTIONS = {
    "cents for euros": ("update {raw} set amount = amount * 100", ("amount", "mean")),
    "all amounts zero": ("update {raw} set amount = 0", ("amount", "zero")),
    "one order of ten millions": (
        "update {raw} set amount = 9999999 where order_id % 4 = 0",
        ("amount", "mean"),
    ),
    "nulls in an optional column": (
        "update {raw} set email = null where order_id % 10 < 6",
        ("email", "null"),
    ),
    "empty texts": ("update {raw} set email = ''", ("email", "empty")),
    "an encoding gone wrong": (
        "update {raw} set name = replace(replace(name, 'a', 'Ã¡'), 'n', 'Ã±')",
        ("name", "garbled"),
    ),
    "swapped columns": ("update {raw} set name = email, email = name", ("email", "length")),
    "a city that changes its name": (
        "update {raw} set city = city || ', Germany'",
        ("city", "length"),
    ),
    "a currency that changes its name": ("update {raw} set currency = 'EUR'", ("currency", "is EUR")),
    "a shifted time zone": (
        "update {raw} set ordered_at = ordered_at - interval '5 hours'",
        ("ordered_at", "hour"),
    ),
    "timestamps in the future": (
        "update {raw} set ordered_at = ordered_at + interval '1 year'",
        ("ordered_at", "ahead"),
    ),
    "everything on one customer": ("update {raw} set customer = 7", ("customer", "mix")),
    "people numbered anew": ("update {raw} set customer = customer + 1000000", ("customer", "size")),
    "keys used again": ("update {raw} set order_id = order_id % 1000", ("order_id", "size")),
    "a truncated delivery": ("delete from {raw} where order_id % 10 < 7", ("", "rows")),
    "ten times the rows": (
        "insert into {raw} overriding user value select r.* from {raw} as r, generate_series(1, 9)",
        ("", "rows"),
    ),
    "doubled rows under new keys": (
        "insert into {raw} (order_id, customer, email, name, city, currency, amount, ordered_at, updated_at, "
        "_load_id, _loaded_at, _hash) select order_id + 100000000, customer, email, name, city, currency, amount, "
        "ordered_at, updated_at, _load_id, _loaded_at, _hash + 1 from {raw}",
        ("", "repeated"),
    ),
}


@pytest.fixture
def night(make_house: Any, shop_database: Any) -> Any:
    """A house with sixty accepted days in one first load, and one more day that is not judged yet."""
    house = make_house(SHOP)
    shop_database.run("drop table orders")
    shop_database.run(ORDERS.format(first=0, last=59))
    house.judged_night()
    assert house.rows("select expectation from control.quality_results where not success") == []
    shop_database.run(
        ORDERS.format(first=60, last=60).replace("create table orders as", "insert into orders")
    )
    return house


@contextmanager
def _tried(house: Any, load_id: int) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose changes are forgotten; the other load's rows are out of sight."""
    with house.ctx.warehouse.connect() as connection:
        connection.execute(f"delete from raw_shop.orders where _load_id <> {load_id}")
        yield connection
        connection.rollback()


def _caught(found: dict[tuple[str, str], str | None], expected: tuple[str, str]) -> bool:
    """The figure is critical; a mix of values, which says least, may be a warning."""
    return found.get(expected) == "critical" or (expected[1] == "mix" and found.get(expected) == "warning")


def test_each_corruption_is_critical_and_a_clean_night_is_not(night: Any) -> None:
    load_id = night.ingest().load_id
    place = Place(find_source(night.ctx.project, "shop"), "orders")
    severities: dict[str, dict[tuple[str, str], str | None]] = {}
    for name, (corrupt, _) in {"clean": ("select 1", ("", "")), **CORRUPTIONS}.items():
        with _tried(night, load_id) as connection:
            connection.execute(corrupt.format(raw="raw_shop.orders"))
            profile.write(connection, [place], load_id, "UTC")
            figures = rhythm.judge(connection, [place], load_id, "UTC")["orders"]
            severities[name] = {(figure.column, figure.measure): figure.severity for figure in figures}
    clean = severities.pop("clean")
    assert len(clean) > 25
    assert {key: severity for key, severity in clean.items() if severity} == {}
    missed = {name: found for name, found in severities.items() if not _caught(found, CORRUPTIONS[name][1])}
    assert {name: {k: v for k, v in found.items() if v} for name, found in missed.items()} == {}


def test_an_encoding_gone_wrong_is_seen_where_few_records_come_a_day(
    make_house: Any, shop_database: Any
) -> None:
    """All customers touched in one night, of whom two or three came on an ordinary day."""
    house = make_house(SHOP)
    shop_database.run("drop table orders")
    shop_database.run(ORDERS.format(first=0, last=99))
    shop_database.run("delete from orders where order_id % 1000 not in (7, 70, 140)")
    house.judged_night()
    touched = "name = replace(name, 'o', 'Ã¶'), updated_at = timestamptz '2024-04-10 12:00'"
    shop_database.run(f"update orders set {touched} where order_id % 1000 = 7")
    with pytest.raises(GateClosed, match=r"shop\.orders\.name: share of texts with garbled letters"):
        house.judged_night()


def test_garbled_letters_close_the_gate_before_there_is_any_history(
    make_house: Any, shop_database: Any
) -> None:
    house = make_house(SHOP)
    shop_database.run("drop table orders")
    shop_database.run(ORDERS.format(first=0, last=0))
    shop_database.run("update orders set name = replace(name, 'n', 'Ã±')")
    with pytest.raises(GateClosed, match=r"shop\.orders\.name: share of texts with garbled letters"):
        house.judged_night()


def test_the_gate_says_column_figure_and_history_and_a_person_may_know_better(
    night: Any, shop_database: Any
) -> None:
    shop_database.run("update orders set amount = amount * 100 where order_id > 1060000")
    with pytest.raises(GateClosed) as closed:
        night.judged_night()
    (told,) = [sentence for sentence in closed.value.failures if "mean of the amounts" in sentence]
    assert told.startswith("shop.orders.amount: mean of the amounts: 2,")
    assert "usual are" in told
    assert "earlier days" in told
    assert "lifehouse loads accept" in told
    kept = night.rows(
        "select severity, observed from control.quality_results where expectation = 'usual mean'"
    )
    assert kept[0][0] == "critical"


def test_history_is_switched_off_by_declaration(night: Any, shop_database: Any) -> None:
    night.declare("    cursor: updated_at\n", "    cursor: updated_at\n    volume: {history: false}\n")
    night.declare("min: 0}", "min: 0, history: false}")
    shop_database.run("update orders set amount = amount * 100 where order_id > 1060000")
    shop_database.run("delete from orders where order_id > 1060000 and order_id % 10 < 6")
    night.judged_night()


def test_the_medians_are_those_of_the_days(night: Any) -> None:
    """Against Python's own median, day by day, of a mean on its log scale."""
    load_id = night.ingest().load_id
    place = Place(find_source(night.ctx.project, "shop"), "orders")
    with night.ctx.warehouse.connect() as connection:
        profile.write(connection, [place], load_id, "UTC")
        rhythm.judge(connection, [place], load_id, "UTC")
        found = connection.execute(
            "select low, high, days, basis, found from control.load_bounds where measure = 'mean'"
        ).fetchone()
        weekday = connection.execute(
            f"select distinct extract(isodow from updated_at) from raw_shop.orders where _load_id = {load_id}"
        ).fetchone()
    days = night.rows(
        "select ln(avg(amount)) from raw_shop.orders where _load_id = 1 and updated_at > '2024-01-08' "
        f"and extract(isodow from updated_at) = {weekday[0]} group by updated_at::date"
    )
    values = [float(value) for (value,) in days]
    assert found is not None
    assert (found[2], found[3]) == (len(values), "same weekday")
    assert math.log(found[0]) < min(values)
    assert math.log(found[0]) + math.log(found[1]) == pytest.approx(2 * median(values), abs=0.2)
