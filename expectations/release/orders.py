"""Each order once, of a customer that exists or of a guest."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, key, known, no_rows

TABLES = ("orders",)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    return [
        key(here, "source", "order_key"),
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every order is of a customer that exists, or of a guest",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        ),
        no_rows(
            "amounts have a currency",
            f"select order_key from {here} where net_amount <> 0 and currency is null",
            severity="warning",
            meaning="every order that has an amount says in which currency",
            what_to_do="let the staging model fill in the currency of the source",
        ),
    ]
