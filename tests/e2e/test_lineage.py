"""A lost column's lineage names the marts that really change when it is gone, and no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lifehouse.build.lineage import Lineage
from lifehouse.build.project import mart_names
from support.tiny import ANN, BEN, CAM, Company, sale


def _marts(company: Company) -> dict[str, object]:
    """What each mart says, whatever the order of its rows."""
    return {
        name: company.rows(f"select count(*), sum(hashtextextended(m::text, 0)) from marts.{name} as m")
        for name in mart_names()
    }


@pytest.mark.timeout(900)
@pytest.mark.slow
def test_a_lost_column_names_the_marts_that_it_breaks(tiny: Callable[..., Company]) -> None:
    company = tiny()
    company.people("2024-03-01", [ANN, BEN, CAM])
    days = [("o1", "p1", 20.0), ("o2", "p2", 35.0), ("o3", "p1", 5.0)]
    sales = [
        sale(order, person, f"2024-02-{number + 10}", amount)
        for number, (order, person, amount) in enumerate(days)
    ]
    company.lines("2024-03-01", [*sales, sale("o4", "p1", "2024-02-20", -5.0, "refund")])
    company.night("2024-03-01")
    lineage = Lineage.of(company.ctx)
    name, product = (
        lineage.breaks("tiny", table, [column])
        for table, column in (("people", "name"), ("lines", "product"))
    )
    assert set(name.marts) == {"customers", "customer_fields"}
    assert name.through == ("stg_tiny__profiles",)
    assert "breaks: customer_fields, customers (through stg_tiny__profiles)" in name.sentence
    assert lineage.breaks("tiny", "lines", ["no_such_column"]).sentence == "no mart reads it"
    currency = lineage.breaks("tiny", "lines", ["currency"])
    assert {"orders", "daily_sales", "customer_value"} <= set(currency.marts)
    assert "stage_history" not in currency.marts

    before = _marts(company)
    company.ctx.warehouse.execute("update raw_tiny.people set name = null")
    company.ctx.warehouse.execute("update raw_tiny.lines set product = null")
    company.night("2024-03-01", full_refresh=True)
    after = _marts(company)
    changed = {mart for mart in before if before[mart] != after[mart]}
    assert changed <= set(name.marts) | set(product.marts)
    assert {"customers", "refund_matches"} <= changed
