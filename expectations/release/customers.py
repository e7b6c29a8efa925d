"""One row for each customer that identity resolution knows, and at least one."""

from __future__ import annotations

import great_expectations.expectations as gxe

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, described, key, known, no_rows

TABLES = ("customers",)

_AGAIN = "customers were missed when changes were followed: run with --full-refresh and report it"


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1,
            **described(
                "not empty",
                severity="critical",
                meaning="there are customers",
                what_to_do="look at `lifehouse loads`: has any source with people been accepted?",
            ),
        ),
        key(here, "customer_id"),
        no_rows(
            "nobody lost",
            f"select customer_id from core.customer_refs except select customer_id from {here}",
            meaning="every customer that records belong to is in the mart",
            what_to_do=_AGAIN,
        ),
        known(
            here,
            "customer_id",
            "core.customer_refs",
            meaning="no customer without records, such as one merged into another, is in the mart",
            what_to_do=_AGAIN,
        ),
    ]
