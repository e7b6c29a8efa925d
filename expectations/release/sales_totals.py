"""Money in = money out: the marts hold every order, every line and every cent of the input contract."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, no_rows

TABLES = ("sales_totals",)

#: What is counted, as the mart sums it up, and as the contract does.
_FIGURES = (
    ("orders", "sum(orders + refund_orders + cancelled_orders)", "count(*)", "contract.orders"),
    ("lines", "sum(lines)", "count(*)", "contract.order_lines"),
    ("revenue", "sum(net_revenue + cancelled_amount)", "sum(amount)", "contract.order_lines"),
)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    return [
        no_rows(
            f"{figure} reconciled",
            f"""
            with served as (select source, {in_mart} as figure from {candidate.table(table)} group by source),
            given as (select source, {in_contract} as figure from {contract} group by source)
            select source
            from served full join given using (source)
            where coalesce(served.figure, 0) <> coalesce(given.figure, 0)
            """,
            meaning=f"the {figure} of every source in the marts equal those in the input contract",
            what_to_do=f"compare {contract} with marts.orders for each source: lines without an order, orders of an "
            "unknown type, or a model that multiplies rows",
        )
        for figure, in_mart, in_contract, contract in _FIGURES
    ]
