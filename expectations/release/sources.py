"""A release waits for the sources that are declared required; what else is late is only flagged (``releases.late``)."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule
from lifehouse.releases.held import WHAT_TO_DO
from lifehouse.releases.late import IN_TIME

TABLES = ("control.runs",)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    waits = (
        f"from {table} as runs cross join jsonb_array_elements(runs.late_details) as late "
        f"where runs.run_id = {candidate.run.run_id} and (late.value ->> 'holds')::boolean"
    )
    return [
        Rule(
            IN_TIME,
            f"(select count(*) {waits})",
            detail=f"(select string_agg(late.value ->> 'sentence', '; ') {waits})",
            counts_rows=False,
            meaning="every required source has delivered for its newest tick, and not come with nothing",
            what_to_do=WHAT_TO_DO,
        )
    ]
