"""What the care marts say adds up: points to balances, answers to invitations, tickets to months, one thing after the other."""

from __future__ import annotations

from dataclasses import replace

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, few, known, no_rows, none

TABLES = ("loyalty", "referrals", "follow_ups", "service", "satisfaction", "cohorts", "churn_reasons")

_OWNER = "crm-team"
_AGAIN = "the mart and what it is made of are of different builds, or its model is wrong: run its dbt tests"
_SOURCE = "look at the source's records of that kind and at its staging model; is a time zone wrong?"


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here, customers = candidate.table(table), candidate.table("customers")
    found = _RULES[table](candidate, here)
    if table in ("loyalty", "referrals", "follow_ups"):
        existing = known(
            here,
            "customer_id",
            customers,
            meaning="every row is of a customer that exists",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        )
        found.append(replace(existing, over=found[0].over))  # counted in the mart's own pass
    return found


def _loyalty(candidate: Candidate, here: str) -> list[Rule]:
    accounts = f"""(
        select *,
            sum(earned - redeemed - expired + adjusted) over life as summed,
            lead(entered_at) over life as next_entered_at
        from {here}
        window life as (partition by customer_id order by entered_at)
    ) as accounts"""
    entries = f"""
        select sum(value) from core.customer_events where occurred_at <= {candidate.as_of}
            and event_type in ('points_earned', 'points_redeemed', 'points_expired', 'points_adjusted')
    """
    return [
        none(
            "balance is the sum of the entries",
            accounts,
            "balance <> summed",
            owner=_OWNER,
            meaning="the balance is what was earned and put right less what was redeemed and expired until then",
            what_to_do=_AGAIN,
        ),
        none(
            "tiers follow one another",
            accounts,
            "exited_at is distinct from next_entered_at",
            owner=_OWNER,
            meaning="each stay in a tier ends where the next one begins, and the last one has no end",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "no points lost",
            f"select 1 where coalesce((select sum(earned - redeemed - expired + adjusted) from {here}), 0) "
            f"<> coalesce(({entries}), 0)",
            over=accounts,
            owner=_OWNER,
            meaning="all points of the timeline are in the accounts",
            what_to_do=_AGAIN,
        ),
        *few(
            "accounts not overdrawn",
            accounts,
            "balance < 0",
            share=0.05,
            owner=_OWNER,
            meaning="nobody has redeemed more points than were there",
            what_to_do="ask the loyalty system whether entries are missing, or of the wrong sign",
        ),
    ]


def _referrals(candidate: Candidate, here: str) -> list[Rule]:
    at = candidate.as_of
    return [
        none(
            "no referral from the time to come",
            here,
            f"greatest(referred_at, converted_at, rewarded_at) > {at} or (state = 'open') <> (converted_at is null "
            "and rewarded_at is null) or (state = 'rewarded') <> (rewarded_at is not null)",
            owner=_OWNER,
            meaning="what became of a referral is what had happened by the as-of instant",
            what_to_do=_AGAIN,
        ),
        *few(
            "one thing after the other",
            here,
            "converted_at < referred_at or rewarded_at < coalesce(converted_at, referred_at)",
            share=0.05,
            owner=_OWNER,
            meaning="a referral is made, then the friend buys, then the reward is given",
            what_to_do=_SOURCE,
        ),
        none(
            "rewards have a currency",
            here,
            "reward <> 0 and currency is null",
            severity="warning",
            owner=_OWNER,
            meaning="a reward says in which currency it is",
            what_to_do="fill the currency in the staging model",
        ),
    ]


def _follow_ups(candidate: Candidate, here: str) -> list[Rule]:
    at = candidate.as_of
    return [
        none(
            "states say what happened",
            here,
            f"greatest(planned_at, held_at) > {at} or (state = 'held') <> (held_at is not null) "
            f"or (state = 'overdue' and (due_at > {at} or due_at is null)) or (state = 'planned' and due_at <= {at})",
            owner=_OWNER,
            meaning="held, overdue or planned is what the times say at the as-of instant",
            what_to_do=_AGAIN,
        ),
    ]


def _service(candidate: Candidate, here: str) -> list[Rule]:
    opened = f"(select count(*) from contract.tickets where opened_at <= {candidate.as_of})"
    return [
        none(
            "tickets add up",
            here,
            "answered > tickets or solved > tickets or judged > solved or open_tickets <> tickets - solved "
            "or p90_hours_to_answer < median_hours_to_answer or p90_hours_to_solution < median_hours_to_solution",
            owner="service-team",
            meaning="of the tickets some are answered, of the solved ones some are judged, the others are open",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "every ticket counted",
            f"select 1 where coalesce((select sum(tickets) from {here}), 0) <> {opened}",
            over=here,
            owner="service-team",
            meaning="every ticket opened by the as-of instant is in one month, kind and topic",
            what_to_do=_AGAIN,
        ),
        *few(
            "answered after being opened",
            "contract.tickets",
            "first_answer_at < opened_at or solved_at < opened_at",
            share=0.05,
            owner="service-team",
            meaning="a ticket is opened before it is answered and solved",
            what_to_do=_SOURCE,
        ),
    ]


def _satisfaction(candidate: Candidate, here: str) -> list[Rule]:
    asked = f"(select count(*) from contract.survey_invitations where invited_at <= {candidate.as_of} and survey is not null)"
    heard = f"(select count(*) from contract.survey_answers where answered_at <= {candidate.as_of} and survey is not null)"
    return [
        none(
            "answers add up",
            here,
            "responded > invited or scored > answers or coalesce(promoters, 0) + coalesce(detractors, 0) > scored "
            "or abs(nps - 100.0 * (promoters - detractors) / nullif(scored, 0)) > 0.006 "
            "or (responded > 0) <> (coalesce(response_rate, 0) > 0)",
            owner=_OWNER,
            meaning="no more answered than were invited, no more marks than answers, and the score is that of the marks",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "every answer counted",
            f"select 1 where coalesce((select sum(invited) from {here}), 0) <> {asked} "
            f"or coalesce((select sum(answers) from {here}), 0) <> {heard}",
            over=here,
            owner=_OWNER,
            meaning="every invitation and every answer until the as-of instant is in its month",
            what_to_do=_AGAIN,
        ),
    ]


def _cohorts(candidate: Candidate, here: str) -> list[Rule]:
    return [
        none(
            "cohorts add up",
            here,
            "active_customers > customers or abs(retention - active_customers::numeric / customers) > 0.00001 "
            "or orders < active_customers or (months_since = 0) <> (month = cohort) "
            "or (months_since = 0 and active_customers <> customers)",
            owner=_OWNER,
            meaning="all of a cohort buy in its first month, and never more than all in another",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "everybody in one cohort",
            f"select 1 where (select coalesce(sum(customers), 0) from {here} where months_since = 0) "
            f"<> (select count(*) from {candidate.table('customers')} where first_order_at is not null)",
            over=here,
            owner=_OWNER,
            meaning="who has bought is in one cohort",
            what_to_do=_AGAIN,
        ),
    ]


def _churn_reasons(candidate: Candidate, here: str) -> list[Rule]:
    return [
        none(
            "reasons add up",
            here,
            f"customers > mentions or customers < 1 or month > {candidate.as_of}::date + 1 "
            "or (reason in ('other', 'not said')) <> (side = 'unknown')",
            owner=_OWNER,
            meaning="a reason is said at least once, and nobody says it without saying it; its side is the taxonomy's",
            what_to_do=_AGAIN,
        ),
    ]


_RULES = {
    "loyalty": _loyalty,
    "referrals": _referrals,
    "follow_ups": _follow_ups,
    "service": _service,
    "satisfaction": _satisfaction,
    "cohorts": _cohorts,
    "churn_reasons": _churn_reasons,
}
