"""A database as a source: what is new comes once, as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from lifehouse.ingest import decisions, gate
from lifehouse.ingest.record import TableCounts


def test_the_first_load_is_whole_and_a_quiet_night_leaves_no_trace(shop: Any) -> None:
    first = shop.judged_night()
    assert first.tables == {"orders": TableCounts(100, 100, 0, 0), "products": TableCounts(5, 5, 0, 0)}
    quiet = shop.night()
    assert quiet.load_id is None
    assert quiet.tables == {"orders": TableCounts(2, 0, 2, 0), "products": TableCounts(5, 0, 5, 0)}
    assert shop.value("select count(*) from control.loads") == 1
    assert shop.value("select to_regnamespace('landing_shop')") is None


def test_only_new_corrected_and_late_records_are_stored(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("""
        insert into orders (order_id, updated_at) values (101, '2020-01-05 05:00+00');  -- new
        update orders set amount = 12, updated_at = '2020-01-05 05:00+00' where order_id = 7;  -- corrected
        insert into orders (order_id, updated_at) values (102, '2020-01-05 03:30+00');  -- late, within the overlap
    """)
    second = shop.night()
    assert second.tables["orders"] == TableCounts(received=5, loaded=3, unchanged=2, quarantined=0)
    stored = shop.rows(
        f"select order_id, amount from raw_shop.orders where _load_id = {second.load_id} order by 1"
    )
    assert stored == [(7, Decimal("12.00")), (101, Decimal("10.00")), (102, Decimal("10.00"))]


def test_a_record_whose_cursor_is_null_is_never_missed(shop: Any, shop_database: Any) -> None:
    shop.declare("updated_at: {type: timestamptz, required: true}", "updated_at: {type: timestamptz}")
    shop.night()
    shop_database.run("insert into orders (order_id, updated_at) values (500, null)")
    assert shop.night().tables["orders"].loaded == 1
    assert shop.night().load_id is None


def test_a_clock_gone_wrong_does_not_hide_what_follows(shop: Any, shop_database: Any) -> None:
    shop_database.run("insert into orders (order_id, updated_at) values (900, '9999-01-01')")
    shop.night()
    shop_database.run("insert into orders (order_id, updated_at) values (901, now() + interval '1 minute')")
    assert shop.night().tables["orders"].loaded == 1


def test_types_survive(make_house: Callable[..., Any], shop_database: Any) -> None:
    shop_database.run("""
        create table kinds (
            id integer, small smallint, big bigint, price numeric(20,10), bare numeric, wide numeric(60,20),
            ratio double precision, flag boolean, at timestamptz, naive timestamp, day date, doc jsonb, tag uuid,
            words text[]
        );
        insert into kinds values (
            2147483647, -32768, 9223372036854775807, 1234567890.0123456789, 0.1234567890123456789012345,
            1234567890123456789012345678901234567890.00000000000000000001, 0.1, true,
            '2020-06-30 23:59:59.999999+05:30', '2011-07-01 12:00', '2020-02-29', '{"a": [1, {"b": null}]}',
            '00000000-0000-4000-8000-000000000001', '{x,"y, z"}'
        ), (1, null, null, null, null, null, null, null, null, null, null, null, null, null);
    """)
    house = make_house("""
        kind: sql
        connection: {url: "${TEST_SHOP_URL}", schema: public}
        time_zone: Europe/London
        tables:
          kinds:
            key: id
            columns:
              id: {type: integer}
              small: {type: smallint}
              big: {type: bigint}
              price: {type: "numeric(20,10)"}
              bare: {type: numeric}
              wide: {type: numeric}
              ratio: {type: double precision}
              flag: {type: boolean}
              at: {type: timestamptz}
              naive: {type: timestamptz}
              day: {type: date}
              doc: {type: jsonb}
              tag: {type: text}
    """)
    house.night()
    kinds = house.ctx.warehouse.rows("select * from raw_shop.kinds where id > 1")[0]
    assert kinds | {"_row": 0, "_hash": 0, "_loaded_at": None} == {
        "id": 2147483647,
        "small": -32768,
        "big": 9223372036854775807,
        "price": Decimal("1234567890.0123456789"),
        "bare": Decimal("0.1234567890123456789012345"),
        "wide": Decimal("1234567890123456789012345678901234567890.00000000000000000001"),
        "ratio": 0.1,
        "flag": True,
        "at": dt.datetime(2020, 6, 30, 18, 29, 59, 999999, dt.UTC),
        "naive": dt.datetime(2011, 7, 1, 11, 0, tzinfo=dt.UTC),  # London was an hour ahead
        "day": dt.date(2020, 2, 29),
        "doc": {"a": [1, {"b": None}]},
        "tag": "00000000-0000-4000-8000-000000000001",
        "_extra": {"words": '{x,"y, z"}'},
        "_load_id": 1,
        "_loaded_at": None,
        "_hash": 0,
        "_row": 0,
        "_deleted": False,
    }
    assert (
        house.value(
            "select count(*) from raw_shop.kinds where id = 1 and num_nonnulls(big, bare, at, doc, tag) = 0"
        )
        == 1
    )
    assert house.night().load_id is None


def test_a_new_column_is_kept_and_noted_once(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("alter table products add column colour text default 'red'")
    shop.night()
    shop_database.run("insert into products values (6, 'six', 'blue')")
    shop.night()
    assert shop.value("select _extra from raw_shop.products where product_id = 6") == {"colour": "blue"}
    noted = shop.rows("select table_name, column_name, kind, found from control.schema_changes")
    assert noted == [("products", "colour", "added", "text")]


def test_a_rejected_load_rewinds_its_source(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("insert into orders (order_id, updated_at) values (101, '2020-02-01')")
    second = shop.night()
    shop_database.run("insert into orders (order_id, updated_at) values (102, '2020-03-01')")
    shop.night()
    decisions.settle(shop.ctx, second.load_id, "rejected", by="a person", reason="wrong till")
    again = shop.night()
    assert shop.rows(f"select order_id from raw_shop.orders where _load_id = {again.load_id}") == [(101,)]
    assert shop.night().load_id is None


def test_a_load_that_nobody_judged_is_judged_before_anything_is_read(shop: Any, shop_database: Any) -> None:
    left = shop.ingest()
    shop_database.run("insert into orders (order_id, updated_at) values (101, '2020-02-01')")
    second = shop.night()
    assert second.tables["orders"].loaded == 1
    assert shop.rows("select status from control.loads order by load_id") == [("accepted",), ("accepted",)]
    gate.judge(shop.ctx, left.load_id)  # a retried task: nothing to decide any more


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_naive_cursor_is_followed_in_the_sources_zone(shop: Any, shop_database: Any, zone: str) -> None:
    shop_database.run("alter table orders alter column updated_at type timestamp")
    shop.declare("quarantine_share", f"time_zone: {zone}\nquarantine_share")
    shop.night()
    shop_database.run("insert into orders (order_id, updated_at) values (101, '2020-01-05 03:10')")
    assert shop.night().tables["orders"] == TableCounts(3, 1, 2, 0)
