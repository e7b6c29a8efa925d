"""A source that shows nothing of what it had shown is no quiet night."""

from __future__ import annotations

from typing import Any

import pytest

from lifehouse.errors import GateClosed
from lifehouse.ingest import decisions

SHOP = """
kind: sql
connection: {url: "${TEST_SHOP_URL}", schema: public}
tables:
  orders:
    key: [order_id]
    cursor: updated_at
    overlap: 8h
    columns:
      order_id: {type: bigint, required: true}
      email: {type: text}
      updated_at: {type: timestamptz, required: true}
"""


@pytest.fixture
def house(make_house: Any, shop_database: Any) -> Any:
    """One order an hour, all taken in."""
    made = make_house(SHOP)
    made.judged_night()
    return made


def test_nothing_of_what_was_there_closes_the_gate_until_it_is_back(house: Any, shop_database: Any) -> None:
    assert house.judged_night().load_id is None  # a quiet night
    shop_database.run(
        "alter table orders rename to hidden; create table orders as select * from hidden limit 0"
    )
    for _ in range(2):
        with pytest.raises(
            GateClosed, match=r"shop\.orders: what was there when it was last read is there again.*8"
        ):
            house.judged_night()
    shop_database.run("drop table orders; alter table hidden rename to orders")
    shop_database.run("insert into orders (order_id, updated_at) values (101, '2020-01-06')")
    assert house.judged_night().tables["orders"].loaded == 1


def test_a_person_may_know_that_they_are_gone(house: Any, shop_database: Any) -> None:
    shop_database.run("delete from orders")
    with pytest.raises(GateClosed):
        house.judged_night()
    gone = house.value("select max(load_id) from control.loads")
    decisions.settle(house.ctx, gone, "accepted", by="ann", reason="the shop began anew")
    assert house.judged_night().load_id is None


def test_a_few_that_were_deleted_are_no_matter(house: Any, shop_database: Any) -> None:
    shop_database.run("delete from orders where order_id > 97")
    assert house.judged_night().load_id is None
    house.declare("overlap: 8h", "overlap: 3h")
    shop_database.run("delete from orders")
    assert house.judged_night().load_id is None


def test_other_tables_that_come_again_tell_that_we_may_still_read(
    make_house: Any, shop_database: Any
) -> None:
    more = SHOP + "  products: {key: [product_id], columns: {product_id: {type: integer}}}\n"
    made = make_house(more)
    made.judged_night()
    shop_database.run("delete from orders")
    assert made.judged_night().load_id is None
