"""Segments are described and have the size of their members; members exist, once each, and can be reached as before."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, known, no_rows, none

TABLES = ("segments", "segment_members", "consents")

_OTHER_BUILD = "the two models are of different builds: run again"


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here = candidate.table(table)
    if table == "segments":
        return [
            no_rows(
                "sizes right",
                f"""
                select from {here} as segments
                left join (
                    select segment, count(*) as members from {candidate.table("segment_members")} group by segment
                ) as counted using (segment)
                where segments.members <> coalesce(counted.members, 0)
                """,
                meaning="the size of a segment is the number of its members",
                what_to_do=_OTHER_BUILD,
            ),
            none(
                "described",
                here,
                "owner is null or meaning is null",
                severity="warning",
                meaning="every segment has an owner and a meaning",
                what_to_do="describe the segment where its family is declared",
            ),
        ]
    found = [
        known(
            here,
            "customer_id",
            candidate.table("customers"),
            meaning="every row is of a customer that exists",
            what_to_do="a merged or split customer was not made again: run with --full-refresh and report it",
        )
    ]
    if table == "segment_members":
        found.append(
            known(
                here,
                "segment",
                candidate.table("segments"),
                meaning="every segment with members is described",
                what_to_do="describe the segment where its family is declared",
            )
        )
        found.append(
            no_rows(
                "members of their stage",
                f"""
                select from {here} as members
                inner join {candidate.table("customers")} as customers using (customer_id)
                where members.segment in (
                    select 'status_' || stage from {candidate.table("lifecycle_stages")} where lifecycle = 'status'
                ) and members.segment is distinct from 'status_' || customers.status_stage
                """,
                meaning="who is in the segment of a stage is in that stage",
                what_to_do=_OTHER_BUILD,
            )
        )
        found.append(
            no_rows(
                "members of their value",
                f"""
                select from {here} as members
                left join {candidate.table("customer_value")} as valued using (customer_id)
                where members.family = 'value' and members.segment is distinct from 'value_' || valued.rfm_segment
                """,
                meaning="who is in the segment of a value has that value",
                what_to_do=_OTHER_BUILD,
            )
        )
    if table == "consents":
        found.append(
            no_rows(
                "consents are those given",
                f"""
                select from {here} as judged
                full join (
                    select *, coalesce(purpose, 'marketing') as purpose_or_marketing from core.customer_consents
                ) as given
                    on judged.customer_id = given.customer_id and judged.channel = given.channel
                    and judged.purpose = given.purpose_or_marketing
                where judged.status is distinct from given.status
                    or judged.is_granted is distinct from (given.status = 'granted')
                """,
                meaning="every consent is the newest decision of the customer, and none is missing",
                what_to_do="run with --full-refresh and report it. Nothing must be pushed before",
            )
        )
    return found
