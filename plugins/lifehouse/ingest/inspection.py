"""What a person may see of loads and quarantine: counts, shapes and reasons, never a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from lifehouse.context import Context
from lifehouse.ingest import decisions
from lifehouse.masks import shape

_LOADS = """
select
    loads.load_id, loads.source, loads.kind, loads.status, loads.opened_at, loads.decided_by, loads.reason,
    coalesce(sum(received), 0)::bigint as received, coalesce(sum(loaded), 0)::bigint as loaded,
    coalesce(sum(unchanged), 0)::bigint as unchanged, coalesce(sum(quarantined), 0)::bigint as quarantined,
    coalesce(sum(deleted + flagged), 0)::bigint as deleted
from control.loads
left join control.load_tables using (load_id)
where %(source)s::text is null or source = %(source)s
group by loads.load_id
order by loads.load_id desc
limit %(limit)s
"""

_QUARANTINED = """
select
    load_id, source, status, table_name, column_name, quarantined.reason, rows,
    case when baselined_at is null then rows - released - discarded else 0 end as waiting,
    released, discarded
from control.quarantined
inner join control.loads using (load_id)
where (%(source)s::text is null or source = %(source)s)
    and (not %(waiting)s or (rows > released + discarded and baselined_at is null))
order by load_id desc, rows desc
limit %(limit)s
"""

_PARTS = {
    "Tables": "select table_name as table, received, loaded, unchanged, quarantined, deleted, flagged, revived, "
    "cursor_from, cursor_to "
    "from control.load_tables where load_id = %s order by table_name",
    "Files": "select table_name as table, file, size_bytes, rows from control.files where load_id = %s order by file",
    "Changes of shape": "select table_name as table, column_name as column, kind, declared, found "
    "from control.schema_changes where load_id = %s order by table_name, column_name",
    "Set aside": "select table_name as table, column_name as column, reason, rows, released, discarded "
    "from control.quarantined where load_id = %s order by rows desc",
    "What did not hold": "select subject, column_name as column, severity, meaning, observed, failed, what_to_do "
    "from control.quality_results where load_id = %s and not success order by result_id",
}


@dataclass(frozen=True)
class Load:
    """One load: its row in ``control.loads``, and titled lists of what else is known of it."""

    load: dict[str, Any]
    parts: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Record:
    """One record that was set aside; ``payload`` is masked. ``decision``: released, discarded, or None: it waits."""

    number: int
    decision: str | None
    table: str
    column: str | None
    reason: str
    payload: dict[str, str]


def loads(ctx: Context, source: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest loads with their counts over all tables."""
    return ctx.warehouse.rows(_LOADS, {"source": source, "limit": limit})


def load(ctx: Context, load_id: int) -> Load:
    """Everything that is known of a load.

    :raises LifehouseError: there is no such load.
    """
    found = decisions.find(ctx, load_id)
    return Load(found, {title: ctx.warehouse.rows(query, (load_id,)) for title, query in _PARTS.items()})


def quarantined(
    ctx: Context, source: str | None, limit: int, *, waiting: bool = False
) -> list[dict[str, Any]]:
    """Counts by load, table, column and reason, newest first; ``waiting``: only where some are undecided."""
    return ctx.warehouse.rows(_QUARANTINED, {"source": source, "limit": limit, "waiting": waiting})


def records(ctx: Context, load_id: int, limit: int) -> list[Record]:
    """The first records that a load set aside, masked.

    :raises LifehouseError: there is no such load.
    """
    source = decisions.find(ctx, load_id)["source"]
    tables = ctx.warehouse.rows(
        "select distinct table_name from control.quarantined where load_id = %s order by table_name",
        (load_id,),
    )
    found: list[Record] = []
    for table in (row["table_name"] for row in tables):
        query = sql.SQL(
            "select quarantine_id, decision, reason, column_name, payload from {} "
            "where load_id = %s order by quarantine_id limit %s"
        ).format(sql.Identifier("quarantine", f"{source}_{table}"))
        for row in ctx.warehouse.rows(query.as_string(), (load_id, limit - len(found))):
            payload = {name: shape(value) for name, value in row["payload"].items() if value is not None}
            place = (row["quarantine_id"], row["decision"], f"{source}.{table}")
            found.append(Record(*place, row["column_name"], row["reason"], payload))
    return found
