"""Nobody is lost and nobody is invented: one row for each customer that records belong to, and its own facts agree."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, known, no_rows, none, within

TABLES = ("customers",)

_AGAIN = "customers were missed when changes were followed: run with --full-refresh and report it"


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here = candidate.table(table)
    return [
        within(
            "not empty",
            "count(*)",
            least=1,
            over=here,
            meaning="there are customers",
            what_to_do="look at `lifehouse loads`: has any source with people been accepted?",
        ),
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
        none(
            "orders in order",
            here,
            f"first_order_at > last_order_at or last_order_at > {candidate.as_of} "
            "or (orders > 0) <> (first_order_at is not null)",
            meaning="who has bought has a first order and a last one, not before it and not after the as-of instant",
            what_to_do=_AGAIN,
        ),
        _addresses(candidate, here),
        _consents(candidate, here),
        _stage(candidate, here, "status"),
        _stage(candidate, here, "crm"),
        no_rows(
            "a life for each",
            f"select from {here} as judged where first_seen_at is null "
            "and exists (select from core.customer_events as events where events.customer_id = judged.customer_id)",
            meaning="every customer of whom anything is known to have happened has a stage history",
            what_to_do=_AGAIN,
        ),
        no_rows(
            "belongs to a group",
            f"""
            select from {here} as judged
            left join {here} as groups on judged.belongs_to_customer_id = groups.customer_id
            where judged.belongs_to_customer_id is not null and (
                groups.kind is null or groups.kind not in ('account', 'household')
                or groups.belongs_to_customer_id is not null
            )
            """,
            meaning="who belongs to somebody belongs to an account or a household, which is a customer and belongs to nobody",
            what_to_do=_AGAIN,
        ),
        *_vanished(candidate, here),
    ]


def _addresses(candidate: Candidate, here: str) -> Rule:
    return no_rows(
        "addresses are theirs",
        f"""
        select from {here} as judged
        where trim(judged.email) <> '' and not exists (
            select from core.customer_refs as refs
            inner join core.identifiers as theirs using (source, customer_key)
            where refs.customer_id = judged.customer_id and theirs.kind = 'email'
                and theirs.written = judged.email
        )
        """,
        meaning="the e-mail of a customer is one that a record of this customer carries",
        what_to_do="the model puts people's fields together wrongly: run its dbt tests. Nothing must be pushed before",
    )


def _consents(candidate: Candidate, here: str) -> Rule:
    consents = candidate.table("consents")
    differ = " or ".join(
        f"consent_{channel} <> exists (select from {consents} as given where given.customer_id = judged.customer_id "
        f"and given.channel = '{channel}' and given.purpose = 'marketing' and given.is_granted)"
        for channel in ("email", "sms", "phone", "post", "ads")
    )
    return no_rows(
        "consents are theirs",
        f"select from {here} as judged where {differ}",
        meaning="what a customer may be sent is what the consents of this customer say",
        what_to_do="the two models are of different builds: run again. Nothing must be pushed before",
    )


def _stage(candidate: Candidate, here: str, lifecycle: str) -> Rule:
    stays, at = candidate.table("stage_history"), candidate.as_of
    return no_rows(
        f"{lifecycle} stage right",
        f"""
        select from {here} as judged
        left join {stays} as stays
            on judged.customer_id = stays.customer_id and stays.lifecycle = '{lifecycle}'
            and stays.entered_at <= {at} and (stays.exited_at is null or stays.exited_at > {at})
        where judged.{lifecycle}_stage is distinct from stays.stage
        """,
        meaning=f"the {lifecycle} stage is the one of the stage history at the as-of instant",
        what_to_do="the two models are of different builds: run again",
    )


def _vanished(candidate: Candidate, here: str) -> list[Rule]:
    before = candidate.before("customers", "customer_id")
    named = candidate.before("customer_identifiers", "customer_id", "source", "customer_key")
    if before is None or named is None:
        return []
    gone = f"""
        select from {before} as served
        where not exists (select from {here} as judged where judged.customer_id = served.customer_id)
            and not exists (
                select from {candidate.table("customer_merges")} as merges
                where merges.retired_id = served.customer_id
            )
            and {{}} exists (
                select from {named} as records
                inner join core.customer_refs as refs
                    on records.source = refs.source and records.customer_key = refs.customer_key
                where records.customer_id = served.customer_id
            )
    """
    return [
        no_rows(
            "nobody vanished",
            gone.format(""),
            meaning="every customer of the served release is still here, or is told in customer_merges",
            what_to_do="records changed hands without a merge on record: run with --full-refresh and report it",
        ),
        no_rows(
            "gone with their records",
            gone.format("not"),
            severity="info" if candidate.is_taken_back else "warning",
            meaning="no customer is gone because none of their records is left",
            what_to_do="were records deleted at the source, or a load rejected? See `lifehouse loads`",
        ),
    ]
