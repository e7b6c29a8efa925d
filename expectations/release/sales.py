"""The same money, however it is cut: by customer, by day, by value, by campaign."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, known, no_rows, none

TABLES = (
    "customers",
    "customer_value",
    "customer_sales",
    "daily_sales",
    "refund_matches",
    "campaign_results",
)

_AGAIN = (
    "the two models are of different builds, or customers were missed: run with --full-refresh and report it"
)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here, customers = candidate.table(table), candidate.table("customers")
    found = _MORE.get(table, _nothing)(candidate, here)
    if table in ("customer_value", "customer_sales", "refund_matches"):
        found.append(
            known(
                here,
                "customer_id",
                customers,
                meaning="every row is of a customer that exists",
                what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
            )
        )
    return found


def _nothing(candidate: Candidate, here: str) -> list[Rule]:
    return []


def _customers(candidate: Candidate, here: str) -> list[Rule]:
    bought = f"""
        select customer_id, count(*) filter (where order_type = 'sale') as orders,
            coalesce(sum(net_amount) filter (where currency = '{candidate.reporting_currency}'), 0) as net_revenue,
            min(ordered_at) filter (where order_type = 'sale') as first_order_at,
            max(ordered_at) filter (where order_type = 'sale') as last_order_at
        from {candidate.table("orders")}
        where not is_guest and status = 'completed' and ordered_at <= {candidate.as_of}
        group by customer_id
    """
    return [
        no_rows(
            "revenue is that of the orders",
            f"""
            select from {here} as judged full join ({bought}) as bought using (customer_id)
            where coalesce(judged.orders, -1) <> coalesce(bought.orders, 0)
                or coalesce(judged.net_revenue, -1) <> coalesce(bought.net_revenue, 0)
                or judged.first_order_at is distinct from bought.first_order_at
                or judged.last_order_at is distinct from bought.last_order_at
            """,
            meaning="each customer's orders, revenue, first and last order are those of their completed orders",
            what_to_do=_AGAIN,
        )
    ]


def _value(candidate: Candidate, here: str) -> list[Rule]:
    return [
        no_rows(
            "value is that of the customer",
            f"""
            select from {here} as judged inner join {candidate.table("customers")} as customers using (customer_id)
            where judged.net_revenue <> customers.net_revenue
                or judged.rfm_segment is distinct from customers.value_segment
            """,
            meaning="revenue and segment of a customer are the same in customers and in customer_value",
            what_to_do=_AGAIN,
        ),
        none(
            "scores from 1 to 5",
            here,
            "least(recency_score, frequency_score, monetary_score) < 1 "
            "or greatest(recency_score, frequency_score, monetary_score) > 5",
            meaning="recency, frequency and monetary scores are fifths",
            what_to_do="look at the model customer_value",
        ),
    ]


def _daily(candidate: Candidate, here: str) -> list[Rule]:
    return [
        no_rows(
            "days add up",
            f"""
            select from (select currency, sum(net_revenue) as revenue from {here} group by currency) as days
            full join (
                select currency, sum(net_amount) as revenue from {candidate.table("orders")}
                where status = 'completed' and ordered_at is not null group by currency
            ) as orders using (currency)
            where days.revenue is distinct from orders.revenue
            """,
            meaning="the days together have the revenue of all completed orders, in each currency",
            what_to_do=_AGAIN,
        )
    ]


def _refunds(candidate: Candidate, here: str) -> list[Rule]:
    return [
        none(
            "no more than was returned",
            here,
            "matched_amount + unmatched_amount <> amount or matched_quantity > quantity",
            meaning="what is matched and what is not are the refund, together",
            what_to_do="look at the model refund_matches",
        ),
        no_rows(
            "refunds matched or not",
            f"""
            select from {candidate.table("customer_sales")} as sales
            left join (
                select customer_id, source, currency, sum(amount) as refunds from {here} group by 1, 2, 3
            ) as matches using (customer_id, source, currency)
            where sales.refunds <> coalesce(matches.refunds, 0)
            """,
            meaning="all refunds of a customer are in refund_matches",
            what_to_do="customers were missed when changes were followed: run with --full-refresh and report it",
        ),
    ]


def _campaigns(candidate: Candidate, here: str) -> list[Rule]:
    return [
        known(
            here,
            "campaign_key",
            candidate.table("campaigns"),
            also=["source"],
            meaning="every result is of a campaign that exists",
            what_to_do="the two models are of different builds: run again",
        ),
        none(
            "responders were targeted",
            here,
            "responders > targeted or redeemers > targeted or responders > orders",
            meaning="no campaign has more who answered than were chosen",
            what_to_do="a join in campaign_customers multiplies rows: run the model's dbt tests",
        ),
        no_rows(
            "results add up",
            f"""
            select from {here} as results
            left join (
                select source, campaign_key, count(*) as targeted, sum(orders) as orders, sum(net_revenue) as net_revenue
                from {candidate.table("campaign_customers")} where arm = 'treatment' group by 1, 2
            ) as customers using (source, campaign_key)
            where results.targeted <> coalesce(customers.targeted, 0) or results.orders <> coalesce(customers.orders, 0)
                or results.net_revenue <> coalesce(customers.net_revenue, 0)
            """,
            meaning="a campaign's result is the sum over its customers",
            what_to_do="the two models are of different builds: run again",
        ),
    ]


_MORE = {
    "customers": _customers,
    "customer_value": _value,
    "daily_sales": _daily,
    "refund_matches": _refunds,
    "campaign_results": _campaigns,
}
