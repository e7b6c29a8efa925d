"""Record: what was landed becomes a load, in one transaction, by set-based SQL.

Each landed row is loaded, or unchanged, or set aside with a reason; nothing is lost and nothing is half visible.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.context import Context
from lifehouse.ingest import drift, raw, sift, tombstones, vanished
from lifehouse.ingest.declaration import Source
from lifehouse.ingest.delivery import Delivery

_FILE = """
insert into control.files (load_id, source, table_name, file, size_bytes, sha256, rows)
values (%s, %s, %s, %s, %s, %s, %s)
"""

_COUNTS = """
insert into control.load_tables
    (load_id, table_name, received, loaded, unchanged, quarantined, cursor_from, cursor_to, superseded, known,
     flagged, deleted, revived, unreadable_keys)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_DELETED = "update control.load_tables set deleted = deleted + %s where load_id = %s and table_name = %s"

_SHAPE_BEFORE = """
select shapes.columns
from control.load_shapes as shapes
inner join control.loads on shapes.load_id = loads.load_id
where loads.source = %s and shapes.table_name = %s and loads.status = 'accepted'
order by shapes.load_id desc
limit 1
"""

_CHANGE = """
insert into control.schema_changes (load_id, source, table_name, column_name, kind, declared, found)
select %(load)s, %(source)s, %(table)s, %(column)s, %(kind)s, %(declared)s, %(found)s
where not exists (
    select
    from control.schema_changes as known
    inner join control.loads on known.load_id = loads.load_id
    where known.source = %(source)s and known.table_name = %(table)s and known.column_name = %(column)s
        and known.kind = %(kind)s and known.found is not distinct from %(found)s and loads.status = 'accepted'
)
"""


@dataclass(frozen=True)
class TableCounts:
    """Rows of one table in one ingest; ``received = loaded + unchanged + quarantined``.

    ``deleted`` and ``revived`` are stored beside them: tombstones of keys that are gone, and keys that are back.
    """

    received: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    deleted: int = 0
    revived: int = 0


def record(
    ctx: Context, source: Source, deliveries: dict[str, Delivery]
) -> tuple[int | None, dict[str, TableCounts]]:
    """The new load's id and what it holds; no id (and no trace) when nothing is new and nothing is wrong."""
    with ctx.warehouse.connect() as connection:
        settings = {"timezone": source.time_zone, "datestyle": f"ISO, {source.date_order}"}
        for name, value in {**settings, "client_min_messages": "warning"}.items():
            connection.execute("select set_config(%s, %s, true)", (name, value))
        load_id, opened_at = _open(connection, source)
        counts: dict[str, TableCounts] = {}
        is_new = False
        for name, delivery in deliveries.items():
            counts[name] = _table(connection, source, delivery, load_id, opened_at)
            is_new |= bool(counts[name].loaded or counts[name].quarantined or delivery.files)
            is_new |= any(change.kind in drift.CLOSING for change in delivery.changes)
            is_new |= counts[name].received == 0 and source.tables[name].refuses_empty
        for name in deliveries:
            if gone := tombstones.by_log(connection, raw.Place(source, name), load_id, opened_at):
                connection.execute(_DELETED, (gone, load_id, name))
                counts[name] = replace(counts[name], deleted=counts[name].deleted + gone)
        is_new |= any(count.deleted or count.revived for count in counts.values())
        if not is_new and not vanished.of_load(connection, source, load_id):
            connection.rollback()
            return None, counts
    _analyze(ctx, source, counts)
    return load_id, counts


def _open(connection: psycopg.Connection[Any], source: Source) -> tuple[int, Any]:
    query = "insert into control.loads (source) values (%s) returning load_id, opened_at"
    row = connection.execute(query, (source.source,)).fetchone()
    assert row is not None  # noqa: S101  an insert returns its row
    return row[0], row[1]


def _table(
    connection: psycopg.Connection[Any], source: Source, delivery: Delivery, load_id: int, opened_at: Any
) -> TableCounts:
    table = raw.Place(source, delivery.table)
    raw.prepare(connection, table)
    landed = raw.columns(connection, source.landing_schema, delivery.table)
    _note(connection, source, delivery, load_id)
    for file in delivery.files:
        row = (load_id, source.source, delivery.table, file.file, file.size_bytes, file.sha256, file.rows)
        connection.execute(_FILE, row)
    sifted = sift.Sifted()
    if landed:
        sifted = sift.sift(connection, table, landed, load_id, opened_at)
    raw.index(connection, table)
    gone = tombstones.by_list(connection, table, landed, load_id, opened_at)
    sift.clear(connection)
    counts = TableCounts(
        sifted.received,
        sifted.loaded,
        sifted.received - sifted.loaded - sifted.quarantined,
        sifted.quarantined,
        gone.deleted,
        gone.revived,
    )
    told = (counts.received, counts.loaded, counts.unchanged, counts.quarantined)
    reached = (delivery.cursor_from, sifted.cursor_to, sifted.superseded, sifted.known)
    life = (sifted.flagged, gone.deleted, gone.revived, gone.unreadable)
    connection.execute(_COUNTS, (load_id, delivery.table, *told, *reached, *life))
    return counts


def _note(connection: psycopg.Connection[Any], source: Source, delivery: Delivery, load_id: int) -> None:
    """Keep the shape and its changes; one that is known from an accepted load and still so is not kept again."""
    if delivery.types:
        before = connection.execute(_SHAPE_BEFORE, (source.source, delivery.table)).fetchone()
        for change in drift.compare(
            source.tables[delivery.table], delivery.types, before[0] if before else None
        ):
            delivery.note(change)
        connection.execute(
            "insert into control.load_shapes (load_id, table_name, columns) values (%s, %s, %s)",
            (load_id, delivery.table, json.dumps(delivery.types)),
        )
    for change in delivery.changes:
        parameters = {"load": load_id, "source": source.source, "table": delivery.table, **asdict(change)}
        connection.execute(_CHANGE, parameters)


def _analyze(ctx: Context, source: Source, counts: dict[str, TableCounts]) -> None:
    """Tell the planner of what came, so that the next comparison with raw uses its indexes."""
    with ctx.warehouse.connect(autocommit=True) as connection:
        for name, count in counts.items():
            if count.loaded or count.deleted or count.revived:
                connection.execute(sql.SQL("analyze {}").format(raw.Place(source, name).raw))
