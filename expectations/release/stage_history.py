"""Each customer has exactly one stage per lifecycle at every instant from the first event on: no overlap, no gap."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, key, known, no_rows

TABLES = ("stage_history",)

_LOOK = (
    "the lifecycle's rules or its events are wrong: `lifehouse explain` shows a customer's stages with causes"
)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    here = candidate.table(table)
    stays = f"""(
        select customer_id, exited_at,
            lead(entered_at) over (partition by customer_id, lifecycle order by entered_at) as next_entered_at
        from {here}
    ) as stays"""
    return [
        key(here, "customer_id", "lifecycle", "entered_at"),
        no_rows(
            "no overlap",
            f"select customer_id from {stays} where next_entered_at < coalesce(exited_at, 'infinity')",
            meaning="no customer is in two stages of a lifecycle at once",
            what_to_do=_LOOK,
        ),
        no_rows(
            "no gap",
            f"""
            select customer_id from {stays}
            where exited_at < next_entered_at or (next_entered_at is null and exited_at is not null)
            """,
            meaning="from the first event on, a customer is in a stage of the lifecycle at every instant",
            what_to_do=_LOOK,
        ),
        no_rows(
            "forward in time",
            f"select customer_id from {here} where entered_at >= exited_at",
            meaning="a customer leaves a stage after entering it",
            what_to_do=_LOOK,
        ),
        no_rows(
            "stages declared",
            f"""
            select customer_id from {here} as stays
            where not exists (
                select from {candidate.table("lifecycle_stages")} as declared
                where declared.lifecycle = stays.lifecycle and declared.stage = stays.stage
            )
            """,
            meaning="every stage is one that its lifecycle declares",
            what_to_do="declare the stage in dbt_project/lifecycles, or correct the source's stage changes",
        ),
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every stage is of a customer that exists",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        ),
    ]
