"""Each customer has exactly one stage per lifecycle at every instant from the first event, or record, on: no overlap, no gap."""

from __future__ import annotations

from lifehouse.lifecycles.recorded import PREFIX
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, few, known, no_rows, none

TABLES = ("stage_history",)

_LOOK = (
    "the lifecycle's rules or its events are wrong: `lifehouse explain` shows a customer's stages with causes"
)
#: What a pipeline's lifecycle is called, and a record's event_id on the timeline.
_PIPELINE = f"case when trim(lifecycle) <> '' then '{PREFIX}_' || trim(lifecycle) else '{PREFIX}' end"
_EVENT = "md5('crm_stage|' || source || '|' || source_key)"


def _declared(stages: str) -> str:
    """The rows of lifecycles that have rules."""
    return f"lifecycle in (select lifecycle from {stages} where not is_recorded)"


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here, declared = candidate.table(table), candidate.table("lifecycle_stages")
    stays = f"""(
        select stage, entered_at, exited_at, lead(entered_at) over life as next_entered_at, lead(stage) over life as next_stage
        from {here}
        window life as (partition by customer_id, lifecycle order by entered_at)
    ) as stays"""
    return [
        none(
            "no overlap",
            stays,
            "next_entered_at < coalesce(exited_at, 'infinity') or next_entered_at = entered_at",
            meaning="no customer is in two stages of a lifecycle at once",
            what_to_do=_LOOK,
        ),
        none(
            "no gap",
            stays,
            "exited_at < next_entered_at or (next_entered_at is null and exited_at is not null)",
            meaning="from the first event on, a customer is in a stage of the lifecycle at every instant",
            what_to_do=_LOOK,
        ),
        none(
            "forward in time",
            stays,
            "entered_at >= exited_at",
            meaning="a customer leaves a stage after entering it",
            what_to_do=_LOOK,
        ),
        none(
            "moves lead elsewhere",
            stays,
            "stage = next_stage",
            meaning="a move leads to another stage",
            what_to_do=_LOOK,
        ),
        *few(
            "possible times",
            stays,
            "not isfinite(entered_at) or entered_at < '1900-01-01'",
            share=0.01,
            meaning="customers enter stages after the year 1900",
            what_to_do="the source has events at impossible times: correct or quarantine them there",
        ),
        no_rows(
            "stages declared",
            f"""
            select from {here} as stays
            where not exists (
                select from {declared} as declared
                where declared.lifecycle = stays.lifecycle and declared.stage = stays.stage
                    and declared.stage_order is not distinct from stays.stage_order
            )
            """,
            meaning="every stage is one that its lifecycle declares, with its place in it",
            what_to_do="declare the stage in dbt_project/lifecycles, or correct the source's stage changes",
        ),
        no_rows(
            "every lifecycle",
            f"""
            select from (select distinct customer_id, lifecycle from {here} where {_declared(declared)}) as lives
            group by customer_id
            having count(*) <> (select count(distinct lifecycle) from {declared} where not is_recorded)
            """,
            meaning="who has a stage in one declared lifecycle has one in each",
            what_to_do=_LOOK,
        ),
        no_rows(
            "as recorded",
            f"""
            select from (
                select refs.customer_id, {_PIPELINE} as lifecycle, min(changed_at) as entered_at,
                    (array_agg(trim(stage) order by changed_at desc, {_EVENT} desc))[1] as stage
                from contract.stage_changes as records
                inner join core.customer_refs as refs using (source, customer_key)
                where trim(stage) <> '' and changed_at is not null
                group by 1, 2
            ) as told
            full join (
                select customer_id, lifecycle, min(entered_at) as entered_at,
                    max(stage) filter (where exited_at is null) as stage
                from {here} where not ({_declared(declared)})
                group by 1, 2
            ) as stood using (customer_id, lifecycle)
            where (told.entered_at, told.stage) is distinct from (stood.entered_at, stood.stage)
            """,
            meaning="a recorded lifecycle begins with the first record and ends with the stage of the last",
            what_to_do="the source's stage changes and the history differ: run with --full-refresh and report it",
        ),
        none(
            "recorded stages have a place",
            f"{declared} as recorded",
            "is_recorded and stage_order is null "
            f"and lifecycle in (select lifecycle from {declared} where stage_order is not null)",
            severity="warning",
            meaning="the stages of a pipeline whose order is declared have their place in it",
            what_to_do="add the stage under recorded: in lifehouse.yml, or correct the source's stage changes",
        ),
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every stage is of a customer that exists",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        ),
    ]
