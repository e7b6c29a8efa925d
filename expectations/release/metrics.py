"""Stage metrics, gaps and acquisition say the same as the stage history and the customers, and add up from period to period."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, no_rows, none

TABLES = ("stage_metrics", "stage_metrics_by_period", "journey_gaps", "acquisition_by_channel")

_AGAIN = "the mart and what it is made of are of different builds, or its model is wrong: run its dbt tests"
_SHARE = "(kpi_unit = 'share from 0 to 1' and kpi_value not between 0 and 1)"


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    return _RULES[table](candidate, candidate.table(table))


def _stage_metrics(candidate: Candidate, here: str) -> list[Rule]:
    at, stays = candidate.as_of, candidate.table("stage_history")
    return [
        none(
            "stages add up",
            here,
            "share not between 0 and 1 or converted_30d > left_30d or left_7d > left_30d or left_30d > ended_stays "
            f"or entered_1d > entered_7d or restricted_mean_dwell_days > dwell_horizon_days or {_SHARE}",
            meaning="a stage's shares are shares, and of those who left lately some went onward",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "as many as the history has",
            f"""
            select from {here} as judged
            left join (
                select lifecycle, stage, count(*) as customers from {stays}
                where entered_at <= {at} and (exited_at is null or exited_at > {at})
                group by lifecycle, stage
            ) as counted using (lifecycle, stage)
            where judged.customers <> coalesce(counted.customers, 0)
            """,
            over=here,
            meaning="in each stage are as many customers as the stage history has there at the as-of instant",
            what_to_do=_AGAIN,
        ),
    ]


def _by_period(candidate: Candidate, here: str) -> list[Rule]:
    lives = f"""(
        select *, lag(customers) over life as customers_before
        from {here}
        window life as (partition by lifecycle, stage, period order by period_start)
    ) as lives"""
    return [
        none(
            "periods add up",
            lives,
            f"converted > exited or least(entered, exited, customers) < 0 or {_SHARE} "
            "or customers <> customers_before + entered - exited",
            meaning="those at the end of a period are those of the period before, and who came, less who left",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "periods end where stages stand",
            f"""
            select from (
                select distinct on (lifecycle, stage, period) * from {here}
                order by lifecycle, stage, period, period_start desc
            ) as newest
            inner join {candidate.table("stage_metrics")} as stages using (lifecycle, stage)
            where newest.customers > stages.customers + stages.left_1d
            """,
            over=lives,
            meaning="the newest period ends with the customers of the as-of instant",
            what_to_do=_AGAIN,
        ),
    ]


def _journey_gaps(candidate: Candidate, here: str) -> list[Rule]:
    ranked = f"""(
        select *, max(rank) over (partition by lifecycle) as last_rank, count(*) over (partition by lifecycle) as gaps,
            lead(value_lost) over (partition by lifecycle order by rank) as next_value_lost
        from {here}
    ) as ranked"""
    return [
        none(
            "gaps add up",
            ranked,
            "customers < 1 or share not between 0 and 1 or last_rank <> gaps or next_value_lost > value_lost "
            "or (gap = 'stayed') <> (from_stage = to_stage) "
            "or abs(value_lost - customers * (worth_onward - worth_dropped)) > 0.0001 * (customers + 1)",
            meaning="what a gap costs is its customers times the difference in worth, and gaps are ranked by it",
            what_to_do=_AGAIN,
        ),
    ]


def _acquisition(candidate: Candidate, here: str) -> list[Rule]:
    return [
        none(
            "acquisition adds up",
            here,
            "customers_won < 0 or abs(cost_per_customer * customers_won - cost) > 0.0001 * (customers_won + 1) "
            "or abs(net_revenue_per_customer * customers_won - net_revenue) > 0.0001 * (customers_won + 1)",
            meaning="what a customer costs and brings is cost and revenue by the number of customers",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "everybody is won once",
            f"""
            select from (
                select coalesce(sum(customers_won), 0) as people, coalesce(sum(net_revenue), 0) as money from {here}
            ) as won
            cross join (
                select count(*) as people, coalesce(sum(net_revenue), 0) as money from {candidate.table("customers")}
                where first_order_at is not null
            ) as customers
            where won.people <> customers.people or won.money <> customers.money
            """,
            over=here,
            meaning="who has bought is won once, and brings what the customer brings",
            what_to_do=_AGAIN,
        ),
    ]


_RULES = {
    "stage_metrics": _stage_metrics,
    "stage_metrics_by_period": _by_period,
    "journey_gaps": _journey_gaps,
    "acquisition_by_channel": _acquisition,
}
