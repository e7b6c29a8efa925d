"""A released record enters raw once, as old as it is, and only if it can be stored; a discarded one stays told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lifehouse.errors import LifehouseError
from lifehouse.ingest import decisions, quarantine
from lifehouse.ingest.quarantine import Selection

NEWEST = """
    select order_id, amount from (
        select distinct on (order_id) order_id, amount, _deleted
        from raw_shop.orders inner join control.loads on load_id = _load_id
        where status = 'accepted'
        order by order_id, coalesce(origin_load_id, load_id) desc, load_id desc, _deleted desc
    ) as newest
    where order_id in (7, 8) and not _deleted order by 1
"""
EVERY = Selection("shop", "orders")


def release(shop: Any, chosen: Selection = EVERY, **corrections: str) -> quarantine.Decided:
    return quarantine.release(
        shop.ctx, chosen, by="ann", reason="the till allows it", corrections=corrections
    )


@pytest.fixture
def bad(shop: Any, shop_database: Any) -> Any:
    """Order 7 came well, then badly."""
    shop.night()
    shop_database.run("update orders set amount = -7, updated_at = '2020-02-01' where order_id = 7")
    assert shop.night().tables["orders"].quarantined == 1
    return shop


def test_a_released_record_is_an_accepted_load_with_the_decision_kept(bad: Any) -> None:
    assert release(bad) == quarantine.Decided({"shop.orders": 1}, (3,))
    assert bad.rows(NEWEST) == [(7, Decimal("-7.00")), (8, Decimal(10))]
    assert bad.rows(
        "select kind, origin_load_id, status, decided_by, reason from control.loads where load_id = 3"
    ) == [("released", 2, "accepted", "ann", "the till allows it")]
    assert bad.rows(
        "select received, loaded, unchanged, quarantined from control.load_tables where load_id = 3"
    ) == [(1, 1, 0, 0)]
    assert bad.rows("select rows, released, discarded from control.quarantined") == [(1, 1, 0)]
    assert bad.rows(
        "select load_id, reason, decision, decided_by, released_load_id, payload is not null from quarantine.shop_orders"
    ) == [(2, "negative", "released", "ann", 3, True)]


def test_releasing_twice_does_nothing_twice(bad: Any) -> None:
    release(bad)
    assert release(bad) == quarantine.Decided({}, ())
    assert bad.value("select count(*) from control.loads") == 3
    assert bad.night().load_id is None, "the source still gives it, and it is known"


def test_a_version_that_came_later_stays_the_newest(bad: Any, shop_database: Any) -> None:
    shop_database.run("update orders set amount = 70, updated_at = '2020-02-02' where order_id = 7")
    bad.night()
    release(bad)
    assert bad.rows(NEWEST)[0] == (7, Decimal("70.00"))


def test_a_version_that_came_again_later_stays_the_newest(bad: Any, shop_database: Any) -> None:
    shop_database.run("update orders set amount = 10, updated_at = '2020-01-01 07:00+00' where order_id = 7")
    bad.declare("    cursor: updated_at\n    overlap: 1h\n", "")
    assert bad.night().tables["orders"].loaded == 1, (
        "as before, but not merely the same: a bad one came between"
    )
    assert bad.night().load_id is None
    release(bad)
    assert bad.rows(NEWEST)[0] == (7, Decimal("10.00"))


def test_a_bad_record_that_comes_back_after_a_good_one_waits_anew(bad: Any, shop_database: Any) -> None:
    shop_database.run("update orders set amount = 70, updated_at = '2020-02-02' where order_id = 7")
    bad.night()
    shop_database.run("update orders set amount = -7, updated_at = '2020-02-01' where order_id = 7")
    bad.declare("    cursor: updated_at\n    overlap: 1h\n", "")
    fourth = bad.night()
    assert fourth.tables["orders"].quarantined == 1
    assert bad.night().load_id is None
    release(bad, Selection("shop", load_id=fourth.load_id))
    assert bad.rows(NEWEST)[0] == (7, Decimal("-7.00"))


def test_a_correction_is_stored_and_the_payload_stays(bad: Any) -> None:
    release(bad, amount="7.5")
    assert bad.rows(NEWEST)[0] == (7, Decimal("7.50"))
    assert bad.value("select payload ->> 'amount' from quarantine.shop_orders") == "-7.00"


def test_a_correction_of_an_unknown_column_is_told(bad: Any) -> None:
    with pytest.raises(LifehouseError, match="did you mean amount"):
        release(bad, amuont="1")


def test_what_cannot_be_stored_is_refused_with_counts_and_nothing_is_released(
    shop: Any, shop_database: Any
) -> None:
    shop_database.run("""
        alter table orders alter column amount type text, alter column order_id drop not null;
        insert into orders (order_id, amount) values (1000, 'many'), (1001, 'more'), (null, '3'), (1002, '-1'),
            (1003, '5'), (1003, '6');
    """)
    shop.declare("quarantine_share: 0.05", "quarantine_share: 0.5")
    shop.night()
    with pytest.raises(LifehouseError, match=r"nothing was released: shop\.orders") as refused:
        release(shop)
    assert "amount: 2 records: not a numeric(12,2)" in str(refused.value)
    assert "order_id: 1 records: missing key" in str(refused.value)
    assert "2 records share their key" in str(refused.value)
    assert "many" not in str(refused.value)
    assert shop.value("select count(*) from control.loads") == 1
    assert release(shop, Selection("shop", "orders", rule="negative")).records == 1
    first = shop.value("select min(quarantine_id) from quarantine.shop_orders where reason = 'duplicate key'")
    assert release(shop, Selection("shop", "orders", ids=[first])).records == 1
    assert release(shop, Selection("shop", rule="not a numeric(12,2)"), amount="1").records == 2


def test_rejecting_the_released_load_puts_its_records_back(bad: Any) -> None:
    release(bad)
    assert decisions.settle(bad.ctx, 3, "rejected", by="ben", reason="it was no refund")
    assert bad.rows(NEWEST)[0] == (7, Decimal("10.00"))
    assert bad.rows("select rows, released from control.quarantined") == [(1, 0)]
    with pytest.raises(LifehouseError, match="quarantine release --load 2"):
        decisions.settle(bad.ctx, 3, "accepted", by="ben")
    assert release(bad).loads == (4,)


def test_rejecting_the_delivery_withdraws_what_was_released_from_it(bad: Any) -> None:
    release(bad)
    decisions.settle(bad.ctx, 2, "rejected", by="ben", reason="the wrong till")
    assert bad.rows("select load_id from control.loads where status = 'rejected' order by 1") == [(2,), (3,)]
    assert bad.rows(NEWEST)[0] == (7, Decimal("10.00"))
    assert release(bad) == quarantine.Decided({}, ()), "its records come again with the next delivery"
    assert bad.night().tables["orders"].quarantined == 1


def test_a_released_load_does_not_make_good_what_was_rejected(bad: Any, shop_database: Any) -> None:
    shop_database.run("insert into orders (order_id, updated_at) values (101, '2020-02-03')")
    third = bad.night()
    decisions.settle(bad.ctx, third.load_id, "rejected", by="ben")
    release(bad)
    assert bad.night().tables["orders"].loaded == 1


def test_a_discarded_record_is_counted_and_not_released_later(bad: Any) -> None:
    assert quarantine.discard(bad.ctx, EVERY, by="ann", reason="test data").records == 1
    assert release(bad).records == 0
    assert bad.rows("select rows, released, discarded from control.quarantined") == [(1, 0, 1)]
    assert bad.rows("select decision, decision_reason from quarantine.shop_orders") == [
        ("discarded", "test data")
    ]
