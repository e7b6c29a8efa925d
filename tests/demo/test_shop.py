"""The demo's shop holds The Complete Journey, to the cent, and grows as declared."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.conftest import HOUSEHOLDS, Shop
from lifehouse.demo import package, shop
from lifehouse.demo.nights import END, NIGHTS, instant
from lifehouse.demo.shop_story import COPY_OFFSET, DOUBLED, LATE, MISTYPED, MOVED, tell
from lifehouse.errors import SourceError


def test_the_package_has_the_published_numbers() -> None:
    data = package.read()
    assert len(data.transactions) == 1_469_307
    assert data.transactions.basket_id.nunique() == 155_848
    assert len(data.households) == 2_469
    assert (len(data.campaign_descriptions), len(data.campaigns), len(data.coupon_redemptions)) == (
        27,
        6_589,
        2_102,
    )
    assert not data.transactions.duplicated(["basket_id", "product_id"]).any()


def test_the_whole_story_ends_at_the_packages_own_totals(databases: Any) -> None:
    url = databases.create(template=None)
    for as_of in (*NIGHTS, END):
        shop.advance(url, as_of, households=HOUSEHOLDS)
    sold = package.read(HOUSEHOLDS).transactions
    totals = shop.shop_totals(url, END)
    assert totals.customers == totals.buyers == HOUSEHOLDS
    assert totals.orders == sold.basket_id.nunique()
    assert totals.order_lines == len(sold)
    assert totals.revenue == sum((Decimal(f"{value:.2f}") for value in sold.sales_value), Decimal())
    assert totals.cancelled_orders == 2 * DOUBLED
    databases.drop(url)


def test_a_night_played_twice_changes_nothing(played: list[Shop]) -> None:
    before = {table: played[1].rows(f"select * from {table} order by 1, 2") for table in shop.TABLES}
    assert set(shop.advance(played[1].url, NIGHTS[1]).values()) == {0}
    assert set(shop.advance(played[1].url, NIGHTS[0]).values()) == {0}
    assert before == {table: played[1].rows(f"select * from {table} order by 1, 2") for table in shop.TABLES}


def test_nights_one_by_one_give_the_same_shop_as_one_leap(played: list[Shop], databases: Any) -> None:
    url = databases.create(template=None)
    shop.advance(url, NIGHTS[2], households=HOUSEHOLDS)
    leap = Shop(url, [])
    for table in shop.TABLES:
        query = f"select * from {table} order by 1, 2"
        assert leap.rows(query) == played[2].rows(query), table
    databases.drop(url)


def test_every_row_was_entered_before_the_night_and_after_the_last(played: list[Shop]) -> None:
    for number, night in enumerate(NIGHTS):
        for table in shop.TABLES:
            newest = played[number].rows(f"select max(updated_at), count(*) from {table}")[0]
            assert newest[0] < night
            if number:
                fresh = f"select count(*) from {table} where updated_at >= %s"
                assert (
                    played[number].rows(fresh, (NIGHTS[number - 1],))[0][0]
                    == played[number].written[number][table]
                )


def test_late_orders_come_days_after_they_were_made(played: list[Shop]) -> None:
    for number in (1, 2):
        late = played[number].rows(
            "select order_id, ordered_at from orders where created_at >= %s and ordered_at < created_at - interval '1 day'",
            (NIGHTS[number - 1],),
        )
        assert len(late) == LATE
        assert all(ordered_at < NIGHTS[0] - timedelta(days=1) for _, ordered_at in late)
        orders = [row[0] for row in late]
        missing = played[number - 1].rows(
            "select count(*) from order_lines where order_id = any(%s)", (orders,)
        )
        present = played[number].rows(
            "select count(distinct order_id) from order_lines where order_id = any(%s)", (orders,)
        )
        assert (missing[0][0], present[0][0]) == (0, LATE)


def test_a_mistyped_amount_is_put_right(played: list[Shop]) -> None:
    query = "select order_id, line_no, amount from order_lines"
    nights = [{(order, line): amount for order, line, amount in one.rows(query)} for one in played]
    for number in (1, 2):
        before, after = nights[number - 1], nights[number]
        changed = {key: (before[key], after[key]) for key in before if after[key] != before[key]}
        assert len(changed) == MISTYPED
        assert all(wrong == 10 * right for wrong, right in changed.values())


def test_a_basket_entered_twice_is_cancelled(played: list[Shop]) -> None:
    for number in (1, 2):
        cancelled = {
            row[0] for row in played[number].rows("select order_id from orders where status = 'cancelled'")
        }
        assert len(cancelled) == DOUBLED * number
        assert all(order > COPY_OFFSET for order in cancelled)
        held = played[0].rows(
            "select count(*) from orders where status = 'completed' and order_id = any(%s)",
            (list(cancelled),),
        )
        assert held[0][0] == len(cancelled)


def test_some_customers_get_another_email(played: list[Shop]) -> None:
    nights = [dict(one.rows("select customer_id, email from customers")) for one in played]
    for number in (1, 2):
        moved = [key for key, email in nights[number].items() if email != nights[number - 1][key]]
        assert len(moved) == MOVED


def test_no_record_is_part_of_two_mistakes() -> None:
    story = tell(package.read())
    hit = [*story.late.order_id, *story.doubled.order_id, *story.mistyped.order_id]
    assert len(hit) == len(set(hit)) == 2 * (LATE + DOUBLED + MISTYPED)


def test_identifiers_are_nobodys_and_unique(played: list[Shop]) -> None:
    people = played[0].rows("select email, phone, loyalty_card from customers")
    emails = [email for email, _, _ in people if email]
    phones = [phone for _, phone, _ in people if phone]
    assert len(set(emails)) == len(emails) < HOUSEHOLDS
    assert len(set(phones)) == len(phones) < HOUSEHOLDS
    assert len({card for _, _, card in people}) == HOUSEHOLDS
    assert all(email.rsplit("@")[1] in ("example.com", "example.net", "example.org") for email in emails)
    assert all(phone[3:9] == "-555-0" and phone[9] == "1" for phone in phones)


def test_totals_are_told_only_for_the_night_the_shop_stands_at(played: list[Shop]) -> None:
    assert shop.shop_totals(played[0].url, "2017-12-29") == shop.shop_totals(played[0].url)
    with pytest.raises(SourceError, match="stands at 2017-12-29"):
        shop.shop_totals(played[0].url, NIGHTS[1])


def test_a_night_begins_at_midnight_in_new_york() -> None:
    assert instant("2017-12-29") == NIGHTS[0]
    assert NIGHTS[0].isoformat() == "2017-12-29T05:00:00+00:00"
    with pytest.raises(ValueError, match="no time zone"):
        instant("2017-12-29T00:00:00")
