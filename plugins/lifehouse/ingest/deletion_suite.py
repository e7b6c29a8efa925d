"""What must hold of the deletions of a load: a list that was cut short must never empty a table."""

from __future__ import annotations

from typing import Any

import great_expectations.expectations
from psycopg import sql

from lifehouse.context import Context
from lifehouse.ingest import versions
from lifehouse.ingest.raw import Place
from lifehouse.quality.runner import SubjectCheck

gxe: Any = great_expectations.expectations

_GONE = """
select deleted + flagged, unreadable_keys from control.load_tables where load_id = %s and table_name = %s
"""

#: How many keys lived before this load, and how many of them it deletes.
_LIVING = """
with newest as (
    select distinct on ({unit}) {unit}, records._deleted
    from {raw} as records
    inner join control.loads on records._load_id = loads.load_id
    where loads.status = 'accepted' and records._load_id <> %(load)s
    order by {unit}, {order}
)
select
    count(*),
    count(*) filter (
        where exists (
            select
            from {raw} as records
            where records._load_id = %(load)s and records._deleted and ({unit}) = ({newest_unit})
        )
    )
from newest
where not _deleted
"""


def checks(ctx: Context, place: Place, load_id: int) -> list[SubjectCheck]:
    """The bound on deletions, and that the list of keys could be read; nothing for a table that declares none.

    Keys are counted only when more go than may always go: a quiet night does not read the table for it.
    """
    deletions = place.table.deletions
    if deletions is None:
        return []
    subject = f"{place.source.source}.{place.name}"
    with ctx.warehouse.connect() as connection:
        row = connection.execute(_GONE, (load_id, place.name)).fetchone()
        gone, unreadable = row if row else (0, 0)
        living, deleted = 0, 0
        if gone > deletions.spare_rows:
            query = sql.SQL(_LIVING).format(
                raw=place.raw,
                unit=versions.of("records", place.table.key),
                newest_unit=versions.of("newest", place.table.key),
                order=versions.NEWEST,
            )
            found = connection.execute(query, {"load": load_id}).fetchone()
            living, deleted = found or (0, 0)
    allowed = max(deletions.spare_rows, int(living * deletions.max_share))
    meaning = (
        f"at most {deletions.max_share:.2%} of its keys are deleted at once, or {deletions.spare_rows:,}; "
        f"of {living:,} keys {deleted:,} would be"
        if deleted > allowed
        else f"at most {deletions.max_share:.2%} of its keys are deleted at once, or {deletions.spare_rows:,}"
    )
    told = (
        _at_most("deleted_keys", allowed, meaning, "critical",
                 "is the list of keys, or the log, complete? if it is: `lifehouse loads accept`"),
        _at_most("unreadable_keys", 0, "every listed key can be read (else nothing is deleted)", "warning",
                 "look at the keys that the source lists"),
    )  # fmt: skip
    query = sql.SQL("select {}::bigint as deleted_keys, {}::bigint as unreadable_keys").format(
        sql.Literal(deleted), sql.Literal(unreadable)
    )
    return [SubjectCheck(subject, query.as_string(), list(told), place.source.owner)]


def _at_most(column: str, bound: int, meaning: str, severity: str, what_to_do: str) -> Any:
    meta = {"what_to_do": what_to_do, "column": None, "name": column}
    return gxe.ExpectColumnMaxToBeBetween(
        column=column, max_value=bound, description=meaning, severity=severity, meta=meta
    )
