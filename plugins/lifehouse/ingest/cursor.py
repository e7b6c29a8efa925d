"""How far a source has been read: a function of the loads, so that rejecting a load rewinds by itself."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest.declaration import Source

#: A rejected load is made good by a later accepted one that read from the same place or earlier.
_BOUND = """
with deliveries as (
    select load_id, status, cursor_from::{type} as cursor_from, cursor_to::{type} as cursor_to
    from control.loads
    inner join control.load_tables using (load_id)
    where source = %(source)s and table_name = %(table)s and kind = 'delivery'
),
accepted as (
    select load_id, cursor_from, cursor_to from deliveries where status = 'accepted'
),
lost as (
    select rejected.cursor_from
    from deliveries as rejected
    where rejected.status = 'rejected'
        and not exists (
            select from accepted
            where accepted.load_id > rejected.load_id
                and (accepted.cursor_from is null or accepted.cursor_from <= rejected.cursor_from)
        )
)
select case
    when exists (select from lost where cursor_from is null) then null
    else least((select max(cursor_to) from accepted) - {overlap}, (select min(cursor_from) from lost))
end
where exists (select from accepted where cursor_to is not null)
"""


def bound(connection: psycopg.Connection[Any], source: Source, table: str) -> Any:
    """Where to read ``table`` from, inclusive, as a Python value of the cursor's type; None means from the beginning."""
    declared = source.tables[table]
    if declared.cursor is None:
        return None
    kind = declared.columns[declared.cursor].base_type
    query = sql.SQL(_BOUND).format(type=sql.SQL(kind), overlap=_overlap(declared.overlap, kind))
    row = connection.execute(query, {"source": source.source, "table": table}).fetchone()
    return row[0] if row else None


def text(value: Any) -> str | None:
    """A cursor value as it is kept in ``control.load_tables``."""
    if value is None:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _overlap(overlap: str | int | None, kind: str) -> sql.Composable:
    if isinstance(overlap, str):
        number, unit = re.fullmatch(r"(\d+)\s*([smhd])", overlap).groups()  # type: ignore[union-attr]
        if kind == "date":
            days = -(-int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] // 86400)
            return sql.Literal(days)
        word = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[unit]
        return sql.SQL("interval {}").format(sql.Literal(f"{number} {word}"))
    if overlap is None and kind in ("timestamptz", "timestamp"):
        return sql.SQL("interval '0'")
    return sql.Literal(overlap or 0)
