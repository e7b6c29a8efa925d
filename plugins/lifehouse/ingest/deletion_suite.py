"""What must hold of the deletions of a load: a list that was cut short must never empty a table."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest import versions
from lifehouse.ingest.raw import Place
from lifehouse.quality.figure import ExpectFigure

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


def expectations(connection: psycopg.Connection[Any], place: Place, load_id: int) -> list[ExpectFigure]:
    """The bound on deletions, and that the list of keys could be read; nothing for a table that declares none.

    Keys are counted only when more go than may always go: a quiet night does not read the table for it.
    """
    deletions = place.table.deletions
    if deletions is None:
        return []
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
    subject, owner = f"{place.source.source}.{place.name}", place.source.owner
    return [
        ExpectFigure.told(
            subject, "deleted_keys", deleted, most=allowed, meaning=meaning, owner=owner,
            what_to_do="is the list of keys, or the log, complete? if it is: `lifehouse loads accept`",
        ),
        ExpectFigure.told(
            subject, "unreadable_keys", unreadable, most=0, severity="warning", owner=owner,
            meaning="every listed key can be read (else nothing is deleted)",
            what_to_do="look at the keys that the source lists",
        ),
    ]  # fmt: skip


def shown_again(place: Place, missing: int) -> ExpectFigure:
    """None of the records that were asked for again came, nor any other of the source: :mod:`lifehouse.ingest.vanished`."""
    return ExpectFigure.told(
        f"{place.source.source}.{place.name}", "vanished_records", missing, most=0, owner=place.source.owner,
        meaning="what was there when it was last read is there again; nothing came, in any table",
        what_to_do="may it still be read there, and is it the same system? if its records are gone for good: "
        "`lifehouse loads accept`",
    )  # fmt: skip
