"""One value row a customer, of customers that exist."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, key, known

TABLES = ("customer_value",)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    return [
        key(here, "customer_id"),
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="only customers that exist are valued",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        ),
    ]
