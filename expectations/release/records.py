"""Nobody's records are lost: each record of the input contract that names somebody belongs to exactly one customer."""

from __future__ import annotations

from lifehouse.build import contract
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, no_rows

TABLES = ("core.customer_refs",)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    homeless = " union all ".join(
        f"select '{matter}' as matter from contract.{matter} as records where records.{column} is not null "
        f"and not exists (select from {table} as refs where refs.source = records.source "
        f"and refs.customer_key = records.{column})"
        for matter, column in contract.person_columns()
    )
    return [
        no_rows(
            "records belong to customers",
            homeless,
            detail=f"(select string_agg(matter || ' ' || records, ', ') from "
            f"(select matter, count(*) as records from ({homeless}) as records group by matter) as found)",
            meaning="each record of the input contract that names a customer belongs to one",
            what_to_do="records were missed when changes were followed: run with --full-refresh and report it",
        ),
        no_rows(
            "identifiers belong to customers",
            f"select from core.identifiers as theirs where not exists (select from {table} as refs "
            "where refs.source = theirs.source and refs.customer_key = theirs.customer_key)",
            meaning="each record that has an identifier belongs to exactly one customer",
            what_to_do="core was changed by hand: run with --full-refresh",
        ),
        no_rows(
            "customers registered",
            f"""
            select from {table} as refs left join core.customer_registry as registry
                on refs.customer_id = registry.customer_id
            where registry.customer_id is null
            """,
            meaning="every customer's id is one that was handed out",
            what_to_do="core.customer_refs was changed by hand: run with --full-refresh",
        ),
    ]
