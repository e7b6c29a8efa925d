"""Bad input ends in clear words that name source, table, column and count; nothing is lost, nothing bad is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lifehouse.errors import ConfigError, GateClosed, SourceError
from lifehouse.ingest import inspection, run
from lifehouse.ingest.record import TableCounts

#: What goes wrong at the source in 10 of 110 new orders, and what is said of it.
BAD_ROWS = {
    "duplicate key": (
        "insert into orders (order_id, amount, updated_at) "
        "select 1000 + g / 2, g, '2020-02-01' from generate_series(0, 9) as g",
        "shop.orders.order_id: 10 of 112 records: duplicate key",
    ),
    "negative amount": (
        "insert into orders (order_id, amount, updated_at) select 1000 + g, -g, '2020-02-01' from generate_series(1, 10) as g",
        "shop.orders.amount: 10 of 112 records: negative",
    ),
    "unknown currency": (
        "insert into orders (order_id, currency, updated_at) "
        "select 1000 + g, 'XXX', '2020-02-01' from generate_series(1, 10) as g",
        "shop.orders.currency: 10 of 112 records: unknown currency",
    ),
    "missing key": (
        "insert into orders (order_id, updated_at) select null, '2020-02-01' from generate_series(1, 10) as g",
        "shop.orders.order_id: 10 of 112 records: missing key",
    ),
}
GOOD_ROWS = (
    "insert into orders (order_id, updated_at) select 2000 + g, '2020-02-02' from generate_series(1, {}) as g"
)


@pytest.mark.parametrize("fault", BAD_ROWS)
def test_bad_records_above_the_bound_close_the_gate_and_the_source_is_read_again(
    shop: Any, shop_database: Any, fault: str
) -> None:
    bad, told = BAD_ROWS[fault]
    first = shop.night()
    shop_database.run(bad)
    shop_database.run(GOOD_ROWS.format(100))
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    assert told in closed.value.failures
    assert "shop.orders: 10 of 112 records are bad (8.93%); allowed are 5.00%" in closed.value.failures
    assert shop.rows("select load_id from control.loads where status = 'accepted'") == [(first.load_id,)]
    assert "example.org" not in json.dumps(shop.rows("select reason from control.loads"))

    shop_database.run("delete from orders where order_id is null or order_id between 1000 and 1999")
    assert shop.judged_night().tables["orders"] == TableCounts(102, 100, 2, 0)


def test_bad_records_below_the_bound_wait_in_quarantine_once(shop: Any, shop_database: Any) -> None:
    for bad, _ in BAD_ROWS.values():
        shop_database.run(bad)
    shop_database.run(GOOD_ROWS.format(1000))
    assert shop.judged_night().tables["orders"] == TableCounts(1140, 1100, 0, 40)
    reasons = shop.rows("select reason, count(*) from quarantine.shop_orders group by 1 order by 1")
    assert reasons == [("duplicate key", 10), ("missing key", 10), ("negative", 10), ("unknown currency", 10)]
    assert shop.night().load_id is None  # read again, but known


def test_a_time_before_the_one_it_follows_is_set_aside(shop: Any, shop_database: Any) -> None:
    shop.declare("amount: {", "paid_at: {type: timestamptz, not_before: updated_at}\n      amount: {")
    shop_database.run("alter table orders add paid_at timestamptz")
    shop_database.run(
        "update orders set paid_at = updated_at + (order_id - 3) * interval '1 minute' where order_id < 50"
    )
    assert shop.judged_night().tables["orders"] == TableCounts(100, 98, 0, 2)
    assert shop.rows("select column_name, reason, count(*) from quarantine.shop_orders group by 1, 2") == [
        ("paid_at", "before updated_at", 2)
    ]


def test_quarantine_is_shown_masked(shop: Any, shop_database: Any) -> None:
    shop_database.run(
        "insert into orders (order_id, email, amount) values (1000, 'Jane.Doe7@example.org', -1.25)"
    )
    result = shop.night()
    record = inspection.records(shop.ctx, result.load_id, 10)[0]
    assert (record.table, record.column, record.reason) == ("shop.orders", "amount", "negative")
    assert (record.payload["email"], record.payload["amount"]) == ("Aaaa.Aaa9@aaaaaaa.aaa", "-9.99")


def test_two_identical_deliveries_of_a_key_are_one_record(shop: Any, shop_database: Any) -> None:
    shop_database.run("insert into orders select * from orders where order_id = 7")
    assert shop.night().tables["orders"] == TableCounts(101, 100, 1, 0)


def test_an_older_version_in_the_same_delivery_gives_way(shop: Any, shop_database: Any) -> None:
    shop_database.run("insert into orders (order_id, amount, updated_at) values (7, 99, '2020-01-09')")
    assert shop.night().tables["orders"] == TableCounts(101, 100, 1, 0)
    assert shop.value("select amount from raw_shop.orders where order_id = 7") == 99


def test_a_missing_column_closes_the_gate(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("alter table orders drop column amount; insert into orders (order_id) values (101)")
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    assert closed.value.failures == ["shop.orders.amount: 1 declared column is missing at the source"]
    shop_database.run("alter table orders add column amount numeric(12,2) default 10")
    shop_database.run("update orders set updated_at = '2020-03-01' where order_id = 101")
    assert shop.night().tables["orders"].loaded == 1


def test_a_column_of_another_type_closes_the_gate(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("alter table orders alter column amount type text using 'EUR ' || amount")
    shop_database.run(
        GOOD_ROWS.replace("order_id,", "order_id, amount,").replace("+ g,", "+ g, 'EUR 3',").format(7)
    )
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    told = "shop.orders.amount: 9 of 9 records: not a numeric(12,2) (the column is text at the source now)"
    assert told in closed.value.failures


def test_a_column_of_another_type_that_still_fits_is_only_noted(shop: Any, shop_database: Any) -> None:
    shop_database.run("alter table products alter column product_id type text")
    assert shop.judged_night().tables["products"].loaded == 5
    assert shop.rows("select column_name, kind, declared, found from control.schema_changes") == [
        ("product_id", "widened", "integer", "text")
    ]
    assert shop.rows("select severity from control.quality_results where not success") == [("info",)]


def test_an_empty_extract_of_a_whole_table_closes_the_gate(shop: Any, shop_database: Any) -> None:
    shop.night()
    shop_database.run("delete from products")
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    assert closed.value.failures == [
        "shop.products: the extract is empty (0 rows); 5 records came with earlier loads"
    ]


def test_volume_is_judged_on_whole_deliveries(shop: Any, shop_database: Any) -> None:
    shop.declare("    key: [product_id]\n", "    key: [product_id]\n    volume: {min_rows: 10}\n")
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    assert closed.value.failures == ["shop.products: 5 rows came, expected are at least 10 rows"]


def test_a_stale_table_closes_the_gate(shop: Any) -> None:
    shop.declare("    overlap: 1h\n", "    overlap: 1h\n    freshness: {column: updated_at, within: 2d}\n")
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    assert "shop.orders: the newest updated_at is at most 2d old" in closed.value.failures[0]


def test_a_source_that_is_down_says_so_and_leaves_no_trace(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SHOP_URL", "postgresql://someone:secret@127.0.0.1:1/shop")
    with pytest.raises(SourceError) as error:
        shop.ingest()
    assert (
        str(error.value)
        == "source shop: the database at 127.0.0.1:1/shop cannot be reached (OperationalError)"
    )
    assert shop.value("select count(*) from control.loads") == 0


def test_what_is_not_there_is_named(shop: Any, shop_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop_database.run("alter table orders drop column updated_at")
    with pytest.raises(
        SourceError, match=r"shop.orders.updated_at: the cursor column is missing at the source"
    ):
        shop.ingest()
    shop_database.run("drop table orders")
    with pytest.raises(SourceError, match=r"shop.orders: the source has no table orders"):
        shop.ingest()
    monkeypatch.delenv("TEST_SHOP_URL")
    with pytest.raises(
        ConfigError, match="source shop: connection: the environment variable TEST_SHOP_URL is not set"
    ):
        shop.ingest()
    with pytest.raises(ConfigError, match="no source 'shopp'; there are: shop"):
        run.ingest(shop.ctx, "shopp")


def test_no_personal_value_is_in_results_or_messages(shop: Any, shop_database: Any) -> None:
    shop_database.run("update orders set amount = -1")
    with pytest.raises(GateClosed) as closed:
        shop.judged_night()
    pages = [path.read_text() for path in (shop.ctx.home.path / "data_docs").rglob("*.html")]
    assert any("shop.orders" in page for page in pages)
    kept = [
        str(shop.ctx.warehouse.rows(f"select * from control.{table}"))
        for table in ("quality_results", "loads")
    ]
    assert not [text for text in [*pages, *kept, str(closed.value)] if "example.org" in text]
