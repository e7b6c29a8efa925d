"""Each segment once, with an owner and a meaning, and the size that its members have."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, key, no_rows

TABLES = ("segments",)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    return [
        key(here, "segment"),
        no_rows(
            "sizes right",
            f"select segment from {here} as segments where members <> (select count(*) "
            f"from {candidate.table('segment_members')} as members where members.segment = segments.segment)",
            meaning="the size of a segment is the number of its members",
            what_to_do="the two models are of different builds: run again",
        ),
        no_rows(
            "described",
            f"select segment from {here} where owner is null or meaning is null",
            severity="warning",
            meaning="every segment has an owner and a meaning",
            what_to_do="describe the segment where its family is declared",
        ),
    ]
