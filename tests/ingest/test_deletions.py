"""What the source deleted is seen as it declares, undone with its load, and never more than could be true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lifehouse.errors import ConfigError, GateClosed
from lifehouse.ingest import decisions
from lifehouse.ingest.declaration import find_source

LIVING = """
    select {key} from (
        select distinct on ({key}) {key}, _deleted
        from raw_shop.{table} inner join control.loads on load_id = _load_id
        where status = 'accepted'
        order by {key}, _load_id desc, _deleted desc
    ) as newest
    where not _deleted order by 1
"""


def living(house: Any, table: str, key: str) -> list[int]:
    return [row[0] for row in house.rows(LIVING.format(table=table, key=key))]


@pytest.fixture
def keys(shop: Any) -> Any:
    """The shop, whose tables both declare a full list of keys."""
    shop.declare("cursor: updated_at", "cursor: updated_at\n    deletions: keys")
    shop.declare("key: [product_id]", "key: [product_id]\n    deletions: {keys: {}, spare_rows: 2}")
    shop.night()
    return shop


def test_a_key_that_the_list_lacks_is_deleted_and_lives_again_when_it_is_back(
    keys: Any, shop_database: Any
) -> None:
    shop_database.run(
        "delete from products where product_id = 2; delete from orders where order_id in (3, 99)"
    )
    second = keys.judged_night()
    assert (second.tables["products"].deleted, second.tables["orders"].deleted) == (1, 2)
    assert living(keys, "products", "product_id") == [1, 3, 4, 5]
    assert living(keys, "orders", "order_id") == [n for n in range(1, 101) if n not in (3, 99)]
    assert keys.night().load_id is None, "what is gone is not told again"
    shop_database.run("""
        insert into products values (2, 'product 2');
        insert into orders (order_id, email, updated_at) values (3, 'person3@example.org', '2020-01-01 04:00+01')
    """)
    third = keys.judged_night()
    assert third.tables["products"].loaded == 1
    assert third.tables["orders"].revived == 1, "its cursor is long past: only the list can tell"
    assert 3 in living(keys, "orders", "order_id")
    assert keys.value(
        "select email from raw_shop.orders where order_id = 3 order by _load_id desc limit 1"
    ) == ("person3@example.org")
    assert keys.night().load_id is None


def test_rejecting_the_load_undoes_the_deletion(keys: Any, shop_database: Any) -> None:
    shop_database.run("delete from orders where order_id = 3")
    second = keys.night()
    decisions.settle(keys.ctx, second.load_id, "rejected", by="a person")
    assert 3 in living(keys, "orders", "order_id")
    keys.night()
    assert 3 not in living(keys, "orders", "order_id"), "the source still lacks it"


def test_a_list_that_was_cut_short_closes_the_gate(keys: Any, shop_database: Any) -> None:
    shop_database.run("delete from orders where order_id > 70; delete from products where product_id > 2")
    with pytest.raises(GateClosed) as closed:
        keys.judged_night()
    told = str(closed.value)
    assert "shop.orders" in told
    assert "of 100 keys 30 would be" in told
    assert "shop.products" in told
    assert len(living(keys, "orders", "order_id")) == 100


def test_an_empty_list_is_no_reason_to_forget_everything(keys: Any, shop_database: Any) -> None:
    shop_database.run("truncate orders")
    with pytest.raises(GateClosed, match="of 100 keys 100 would be"):
        keys.judged_night()


def test_a_list_with_keys_that_cannot_be_read_deletes_nothing(keys: Any, shop_database: Any) -> None:
    shop_database.run(
        "delete from products where product_id = 2; insert into products values (null, 'nameless')"
    )
    keys.declare("quarantine_share: 0.05", "quarantine_share: 0.5")
    result = keys.judged_night()
    assert result.tables["products"].deleted == 0
    assert keys.value(
        "select observed from control.quality_results where expectation = 'unreadable_keys' and not success"
    ) in ("1", "1.0")


def test_a_bad_record_is_still_on_the_list(keys: Any, shop_database: Any) -> None:
    shop_database.run("update orders set amount = -1, updated_at = '2020-02-01' where order_id = 7")
    assert keys.night().tables["orders"].quarantined == 1
    assert 7 in living(keys, "orders", "order_id")


def test_a_record_that_says_it_is_deleted_needs_nothing_but_its_key(shop: Any, shop_database: Any) -> None:
    shop_database.run("alter table orders add column state text; update orders set state = 'open'")
    shop.declare(
        "cursor: updated_at", "cursor: updated_at\n    deletions: {flag: {column: state, values: [gone]}}"
    )
    shop.declare("amount:", "state: {type: text}\n      amount:")
    shop.night()
    shop_database.run("""
        update orders set state = 'gone', currency = null, amount = -5, updated_at = '2020-02-01' where order_id in (7, 8)
    """)
    result = shop.judged_night()
    assert (result.tables["orders"].loaded, result.tables["orders"].quarantined) == (2, 0)
    assert (
        shop.value("select flagged from control.load_tables where load_id = 2 and table_name = 'orders'") == 2
    )
    assert {7, 8}.isdisjoint(living(shop, "orders", "order_id"))
    shop_database.run("""
        update orders set state = 'open', currency = 'USD', amount = 5, updated_at = '2020-02-02' where order_id = 7
    """)
    shop.judged_night()
    assert 7 in living(shop, "orders", "order_id")


LOG = """
  deleted_orders:
    key: [entry]
    cursor: entry
    columns:
      entry: {type: bigint, required: true}
      id: {type: text}
      at: {type: timestamptz}
"""


def test_a_log_names_what_is_gone_once(shop: Any, shop_database: Any) -> None:
    shop_database.run("create table deleted_orders (entry bigint, id text, at timestamptz)")
    shop.declare(
        "cursor: updated_at",
        "cursor: updated_at\n    deletions: {log: {table: deleted_orders, key: {order_id: id}, at: at}}",
    )
    shop.declare("  products:", LOG.strip("\n") + "\n  products:")
    shop.night()
    shop_database.run("""
        delete from orders where order_id in (5, 6, 7);
        insert into deleted_orders values (1, '5', '2020-02-01'), (2, '6', '2020-02-01'), (3, '7', '2020-02-01'),
            (4, null, '2020-02-01');
        insert into orders (order_id, updated_at) values (6, '2020-02-01 01:00'), (7, '2020-01-31 23:00')
    """)
    result = shop.judged_night()
    assert result.tables["orders"].deleted == 2, "6 is younger than its deletion"
    alive = living(shop, "orders", "order_id")
    assert (5 in alive, 6 in alive, 7 in alive) == (False, True, False)
    shop_database.run("insert into orders (order_id, updated_at) values (5, '2020-02-03')")
    shop.judged_night()
    assert 5 in living(shop, "orders", "order_id")
    assert shop.night().load_id is None


@pytest.mark.parametrize(
    ("deletions", "told"),
    [
        ("{flag: {column: nowhere}}", "nowhere is not among the columns"),
        ("{log: {table: nowhere, key: {product_id: id}}}", "nowhere is no other table"),
        ("{log: {table: orders, key: {id: order_id}}}", "say the log's column of each of product_id"),
        ("{keys: {}, flag: {column: name}}", "say one of"),
        ("{keys: {path: /ids}}", "only an API has paths"),
    ],
)
def test_a_wrong_declaration_is_told_with_its_line(
    shop: Any, make_house: Callable[..., Any], deletions: str, told: str
) -> None:
    shop.declare("key: [product_id]", f"key: [product_id]\n    deletions: {deletions}")
    with pytest.raises(ConfigError, match=told):
        find_source(shop.ctx.project, "shop")
