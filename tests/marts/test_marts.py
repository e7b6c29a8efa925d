"""The marts against the corner shop's own books: counted here in plain Python, from the same records."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

ZONE = ZoneInfo("Asia/Tokyo")
AS_OF = datetime(2011, 11, 1, tzinfo=UTC)
Record = dict[str, Any]


@pytest.fixture(scope="module")
def ids(corner: Any) -> dict[str, str]:
    """Whose each of the shop's person_ids is. Who is who is not this file's question."""
    return {row["customer_key"]: row["customer_id"] for row in corner.rows("select * from customer_refs")}


def _money(corner: Any, order: Record, kind: str | None = None) -> Decimal:
    lines = corner.company.lines_of(order)
    return sum((line["amount"] for line in lines if kind in {None, line["line_type"]}), Decimal(0))


def _completed(corner: Any, currency: str = "EUR") -> list[Record]:
    return [o for o in corner.company.orders if o["status"] == "completed" and o["currency"] == currency]


def _one(rows: list[Record]) -> Record:
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_totals_agree_with_the_books_to_the_last_digit(
    corner: Any, ids: dict[str, str], currency: str
) -> None:
    every = [order for order in corner.company.orders if order["currency"] == currency]
    completed = _completed(corner, currency)
    guests = [order for order in every if order["person_id"] is None]
    clean = [
        (ids[order["person_id"]], line["amount"])
        for order in completed
        if order["person_id"]
        for line in corner.company.lines_of(order)
        if line["quantity"] > 0 and line["amount"] > 0
    ]
    totals = _one(corner.rows(f"select * from sales_totals where currency = '{currency}'"))
    expected = {
        "orders": sum(order["order_type"] == "sale" for order in completed),
        "refund_orders": sum(order["order_type"] == "refund" for order in completed),
        "cancelled_orders": sum(order["status"] == "cancelled" for order in every),
        "guest_orders": len(guests),
        "lines": sum(len(corner.company.lines_of(order)) for order in every),
        "cancelled_lines": sum(
            len(corner.company.lines_of(order)) for order in every if order["status"] == "cancelled"
        ),
        "guest_lines": sum(len(corner.company.lines_of(order)) for order in guests),
        "customers": len({ids[order["person_id"]] for order in every if order["person_id"]}),
        "gross_revenue": sum(_money(corner, order, "sale") for order in completed),
        "refunds": sum(_money(corner, order, "refund") for order in completed),
        "net_revenue": sum(_money(corner, order) for order in completed),
        "clean_lines": len(clean),
        "clean_revenue": sum(amount for _, amount in clean),
        "clean_customers": len({customer for customer, _ in clean}),
    }
    assert {key: totals[key] for key in expected} == expected
    assert guests, "the books must hold guests, or this proves less than it says"


def test_every_order_is_listed_once_with_its_money(corner: Any, ids: dict[str, str]) -> None:
    shown = {row["order_key"]: row for row in corner.rows("select * from orders")}
    assert shown.keys() == {order["order_id"] for order in corner.company.orders}
    for order in corner.company.orders:
        row = shown[order["order_id"]]
        assert row["customer_id"] == ids.get(order["person_id"])
        assert row["is_guest"] == (order["person_id"] is None)
        assert (row["net_amount"], row["refund_amount"]) == (
            _money(corner, order),
            _money(corner, order, "refund"),
        )
        assert row["order_date"] == order["ordered_at"].astimezone(ZONE).date()


def test_days_are_those_of_the_company_and_sum_to_the_total(corner: Any) -> None:
    expected: dict[date, Decimal] = defaultdict(Decimal)
    for order in _completed(corner):
        expected[order["ordered_at"].astimezone(ZONE).date()] += _money(corner, order)
    shown = {
        row["date"]: row["net_revenue"]
        for row in corner.rows("select * from daily_sales where currency = 'EUR'")
    }
    assert shown == expected
    assert any(
        order["ordered_at"].date() != order["ordered_at"].astimezone(ZONE).date()
        for order in _completed(corner)
    )


def test_refunds_of_customers_are_matched_or_not_and_nothing_is_lost(corner: Any) -> None:
    totals = _one(corner.rows("select * from sales_totals where currency = 'EUR'"))
    refunds = sum(_money(corner, order, "refund") for order in _completed(corner) if order["person_id"])
    assert totals["matched_refunds"] + totals["unmatched_refunds"] == refunds
    assert totals["matched_refunds"] < 0
    assert totals["unmatched_refunds"] < 0
    assert (
        corner.rows("select * from refund_matches where matched_by <> 'unmatched' and sold_at > refunded_at")
        == []
    )
    unknown = corner.rows("select distinct matched_by from refund_matches where product_key = 'never-bought'")
    assert unknown == [{"matched_by": "unmatched"}]


def test_a_purchase_is_not_given_back_twice(corner: Any) -> None:
    sold = {line["line_id"]: line["quantity"] for line in corner.company.lines}
    returned: Counter[str] = Counter()
    for row in corner.rows("select * from refund_matches where sale_line_key is not null"):
        returned[row["sale_line_key"]] += row["matched_quantity"]
    assert returned
    assert all(quantity <= sold[line] for line, quantity in returned.items())


def test_customers_speak_as_of_the_instant(corner: Any, ids: dict[str, str]) -> None:
    orders: Counter[str] = Counter()
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for currency in ("EUR", "USD"):
        for order in _completed(corner, currency):
            if order["person_id"] and order["ordered_at"] <= AS_OF:
                orders[ids[order["person_id"]]] += order["order_type"] == "sale"
                revenue[ids[order["person_id"]]] += _money(corner, order) if currency == "EUR" else 0
    customers = {row["customer_id"]: row for row in corner.rows("select * from customers")}
    assert customers.keys() == set(ids.values())
    assert {key: row["orders"] for key, row in customers.items()} == {key: orders[key] for key in customers}
    assert {key: row["net_revenue"] for key, row in customers.items()} == {
        key: revenue[key] for key in customers
    }
    assert any(order["ordered_at"] > AS_OF for order in corner.company.orders)
    assert ids["p38"] == ids["p1"]
    assert customers[ids["p0"]]["acquisition_channel"] == "search"
    assert customers[ids["p2"]]["acquisition_channel"] == "other"


def test_the_newest_consent_stands(corner: Any, ids: dict[str, str]) -> None:
    newest: dict[str, Record] = {}
    for consent in sorted(corner.company.consents, key=lambda consent: consent["changed_at"]):
        newest[ids[consent["person_id"]]] = consent
    shown = corner.rows("select customer_id from customers where consent_email")
    assert {row["customer_id"] for row in shown} == {
        key for key, row in newest.items() if row["status"] == "granted"
    }


def test_scores_are_fifths_by_rank(corner: Any) -> None:
    rows = corner.rows("select * from customer_value")
    assert len(rows) > 20
    weeks = [row["recency_days"] // 7 for row in rows]
    for row in rows:
        not_newer = sum(other >= row["recency_days"] // 7 for other in weeks)
        assert row["recency_score"] == math.ceil(5 * not_newer / len(rows))
    for figure, score in (("orders", "frequency"), ("net_revenue", "monetary")):
        figures = [row[figure] for row in rows]
        for row in rows:
            below = sum(other < row[figure] for other in figures)
            assert row[f"{score}_score"] == 1 + 5 * below // len(rows)


def test_each_buyer_is_in_one_value_segment_and_each_customer_in_one_status(corner: Any) -> None:
    count = "select count(*) as n, count(distinct customer_id) as customers from segment_members where segment like '{}%'"
    buyers = _one(corner.rows("select count(*) as n from customer_value"))["n"]
    assert _one(corner.rows(count.format("value_"))) == {"n": buyers, "customers": buyers}
    customers = _one(corner.rows("select count(*) as n from customers where status_stage is not null"))["n"]
    assert _one(corner.rows(count.format("status_"))) == {"n": customers, "customers": customers}
    counted = {row["segment"]: row["members"] for row in corner.rows("select segment, members from segments")}
    listed = Counter(row["segment"] for row in corner.rows("select segment from segment_members"))
    assert {segment: members for segment, members in counted.items() if members} == dict(listed)
    assert customers == len(corner.rows("select customer_id from customers"))


@pytest.mark.parametrize("key", ["spring", "autumn", "early"])
def test_a_campaigns_results_are_those_of_the_people_it_targeted(
    corner: Any, ids: dict[str, str], key: str
) -> None:
    campaign = _one([row for row in corner.company.campaigns if row["campaign_id"] == key])
    targets = [row for row in corner.company.targets if row["campaign_id"] == key]
    arms = {ids[row["person_id"]]: row["arm"] for row in reversed(targets)}  # the first exposure counts
    treated = {customer for customer, arm in arms.items() if arm == "treatment"}
    until = min(campaign["ends_at"], AS_OF)
    before = campaign["starts_at"] - (until - campaign["starts_at"])

    def bought(since: datetime, until: datetime) -> tuple[int, Decimal, int]:
        orders = [
            order
            for order in _completed(corner)
            if since <= order["ordered_at"] < until and ids.get(order["person_id"]) in treated
        ]
        sales = [order for order in orders if order["order_type"] == "sale"]
        net = sum((_money(corner, order) for order in orders), Decimal(0))
        return len(sales), net, len({ids[order["person_id"]] for order in sales})

    redeemed = [
        ids[row["person_id"]] for row in corner.company.redemptions if row["offer_id"] == f"mug-coupon-{key}"
    ]
    orders, revenue, responders = bought(campaign["starts_at"], until)
    row = _one(corner.rows(f"select * from campaign_results where campaign_key = '{key}'"))
    assert (row["targeted"], row["held_out"]) == (len(treated), len(arms) - len(treated))
    assert (row["orders"], row["net_revenue"], row["responders"]) == (orders, revenue, responders)
    assert row["redeemers"] == len(set(redeemed) & treated)
    assert row["redemptions"] + row["redemptions_by_others"] == len(redeemed)
    if key == "early":
        assert row["net_revenue_before"] is None
        assert row["comparison"].startswith("not enough")
    else:
        assert (row["orders_before"], row["net_revenue_before"]) == bought(before, campaign["starts_at"])[:2]
        assert row["comparison"].startswith("observational")


def test_dates_reach_from_the_first_event_to_a_year_after_the_instant(corner: Any) -> None:
    days = corner.rows("select * from dates order by date")
    first = min(
        *(order["ordered_at"] for order in corner.company.orders),
        *(person["created_at"] for person in corner.company.people),
    )
    as_of_day = AS_OF.astimezone(ZONE).date()
    assert days[0]["date"] == first.astimezone(ZONE).date()
    assert days[-1]["date"] == as_of_day + timedelta(days=365)
    assert len(days) == (days[-1]["date"] - days[0]["date"]).days + 1
    for day in days:
        assert (day["iso_year"], day["iso_week"], day["weekday"]) == tuple(day["date"].isocalendar())
        assert day["is_future"] == (day["date"] > as_of_day)


def test_unit_tests_and_data_tests_of_the_models_pass(corner: Any) -> None:
    selection = [
        "path:models/marts",
        "path:models/segments",
        "path:models/campaigns",
        "path:seeds",
        "test_type:singular",
    ]
    outcome = corner.dbt("test", "--select", *selection, "--exclude", "path:models/marts/life")
    assert outcome.exception is None
    assert {
        result.node.name: result.message for result in outcome.result if str(result.status) != "pass"
    } == {}
    assert sum(result.node.resource_type == "unit_test" for result in outcome.result) >= 18
