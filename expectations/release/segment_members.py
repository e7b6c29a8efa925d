"""Members exist, once each, in segments that are declared."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, key, known

TABLES = ("segment_members",)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    return [
        key(here, "segment", "customer_id"),
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every member of a segment is a customer that exists",
            what_to_do="the segment's model reads something older than the customers: look at its refs",
        ),
        known(
            here,
            "segment",
            candidate.table("segments"),
            meaning="every segment with members is described",
            what_to_do="describe the segment where its family is declared",
        ),
    ]
