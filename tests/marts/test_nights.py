"""What timeline and marts say does not depend on the nights in which the records came."""

from __future__ import annotations

from typing import Any

MARTS = [
    *("customers", "customer_identifiers", "customer_value", "consents"),
    *("orders", "daily_sales", "customer_sales", "refund_matches", "sales_totals"),
    *("segments", "segment_members", "campaigns", "campaign_results", "dates"),
    *("stage_history", "customer_events"),
]


def _nameless(built: Any, mart: str) -> list[dict[str, Any]]:
    """The mart's rows with each customer_id told by the person's smallest key: ids are handed out by each warehouse."""
    rows = built.rows(
        f"""
        with names as (select customer_id, min(customer_key) as name from customer_refs group by customer_id)
        select to_jsonb(mart) - 'customer_id' as row,
            (select name from names where names.customer_id = to_jsonb(mart) ->> 'customer_id') as name
        from {mart} as mart
        order by 2, 1
        """
    )
    assert rows, f"{mart} is empty: there is nothing to compare"
    return rows


def test_two_nights_with_corrections_give_the_marts_of_one(corner: Any, corner_by_nights: Any) -> None:
    replaced = corner_by_nights.ctx.warehouse.value(
        "select count(*) from control.run_customers where scope = 'slot'"
    )
    assert 0 < replaced < len(corner.company.people) - 1, (
        "the second night must replace some customers, not all"
    )
    for mart in MARTS:
        assert _nameless(corner_by_nights, mart) == _nameless(corner, mart), mart
