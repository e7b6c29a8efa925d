"""Retention: beyond it a baseline replaces what raw holds. What staging reads, and so every answer, stays the same.

Of each unit the newest version stays; versions before it, tombstones that hide nothing any more, rows of rejected
loads and quarantined records go. The loads they came with can no longer be rejected: nothing is left before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.context import Context
from lifehouse.ingest import lock, raw, versions
from lifehouse.ingest.declaration import Source, load_source
from lifehouse.ingest.raw import Place

_BATCH = 200_000  # rows of loads that one transaction makes part of the baseline
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

#: Loads of a table that retention has passed, oldest first; no further than the oldest that is undecided or not built yet.
_DUE = """
select counts.load_id, loads.status, counts.loaded + counts.deleted + counts.revived + counts.quarantined as rows
from control.load_tables as counts
inner join control.loads as loads on counts.load_id = loads.load_id
where loads.source = %(source)s and counts.table_name = %(table)s and counts.baselined_at is null
    and loads.opened_at < %(before)s
    and counts.load_id < (
        select coalesce(min(waiting.load_id), 9223372036854775807)
        from control.loads as waiting, control.core_state as built
        where waiting.source = %(source)s
            and (waiting.status = 'open' or waiting.change_seq > built.change_seq or built.fingerprint is null)
    )
order by counts.load_id
"""

_UNITS = """
create temporary table due on commit drop as
select distinct {unit} from {raw} as records where records._load_id = any(%(loads)s)
"""

#: Also files of which nothing was stored: they replace what they brought before all the same.
_FILE_UNITS = """
union
select files.file from control.files as files
where files.source = %(source)s and files.table_name = %(table)s and files.load_id = any(%(loads)s)
"""

#: Versions up to the horizon, of units that the batch touched, newest first.
_VERSIONS = """
create temporary table ranked on commit drop as
select
    records.ctid as _place,
    {unit},
    records._deleted,
    {age} as _age,
    row_number() over (partition by {unit} order by {order}) as number
from {raw} as records
inner join due using ({plain_unit})
inner join control.loads as loads on records._load_id = loads.load_id
where records._load_id <= %(horizon)s and loads.status = 'accepted'
"""

_THIN = "delete from {raw} as records using ranked where records.ctid = ranked._place and ranked.number > 1"

#: A tombstone is needed while an older version could come back: a record of the unit that was released since.
_TOMBSTONES = """
delete from {raw} as records
using ranked
where records.ctid = ranked._place and ranked.number = 1 and ranked._deleted
    and not exists (
        select
        from {raw} as younger
        inner join control.loads as loads on younger._load_id = loads.load_id
        where younger._load_id > %(horizon)s and {age} < ranked._age and ({younger_unit}) = ({ranked_unit})
    )
"""

#: Of files that replace their own delivery: all but the newest one up to the horizon.
_FILES = """
delete from {raw} as records
using control.loads as loads
where records._load_id = loads.load_id and records._load_id <= %(horizon)s
    and records._file in (select _file from due)
    and {age} < (
        select max(files.load_id)
        from control.files as files
        inner join control.loads as theirs on files.load_id = theirs.load_id
        where files.source = %(source)s and files.table_name = %(table)s and files.file = records._file
            and theirs.status = 'accepted' and files.load_id <= %(horizon)s
    )
"""

_MARK = (
    "update control.load_tables set baselined_at = clock_timestamp() where table_name = %(table)s and load_id = any(%(loads)s)",
    "update control.loads set baselined_at = clock_timestamp() where baselined_at is null and load_id = any(%(loads)s)",
)


@dataclass(frozen=True)
class Pruned:
    """What went of one table: rows of raw, rows of quarantine, and how many loads are part of the baseline now."""

    table: str
    records: int
    quarantined: int
    loads: int


def prune(ctx: Context, source: str | None = None, now: datetime | None = None) -> list[Pruned]:
    """Bring the tables that declare a retention to their baseline; those that had nothing due are not in the answer.

    Work goes in bounded transactions, each whole: killed anywhere, the next call goes on. It costs what fell due since.

    :raises SourceError: another process has been loading the source for ten minutes.
    """
    now = now or datetime.now(UTC)
    pruned = []
    for path in ctx.project.source_files:
        if source is not None and path.stem != source:
            continue
        declared = load_source(path)
        places = [Place(declared, name) for name in declared.tables if _kept(declared, name)]
        if any(_due(ctx, place, now) for place in places):
            with lock.held(ctx, declared.source):
                pruned += [done for place in places if (done := _prune(ctx, place, now)).loads]
    return pruned


def _kept(source: Source, table: str) -> timedelta | None:
    """How long records of a table are kept; None: always."""
    declared = source.tables[table].retention or source.retention
    if declared is None:
        return None
    return timedelta(seconds=int(declared[:-1]) * _SECONDS[declared[-1]])


def _due(ctx: Context, place: Place, now: datetime) -> list[dict[str, Any]]:
    kept = _kept(place.source, place.name)
    assert kept is not None  # noqa: S101  only such places are asked
    parameters = {"source": place.source.source, "table": place.name, "before": now - kept}
    return ctx.warehouse.rows(_DUE, parameters)


def _prune(ctx: Context, place: Place, now: datetime) -> Pruned:
    records = quarantined = loads = 0
    batch: list[dict[str, Any]] = []
    due = _due(ctx, place, now)
    for number, load in enumerate(due, 1):
        batch.append(load)
        if number == len(due) or sum(row["rows"] for row in batch) >= _BATCH:
            with ctx.warehouse.connect() as connection:
                gone = _batch(connection, place, batch)
            records, quarantined, loads = records + gone[0], quarantined + gone[1], loads + len(batch)
            batch = []
    return Pruned(f"{place.source.source}.{place.name}", records, quarantined, loads)


def _batch(connection: psycopg.Connection[Any], place: Place, batch: list[dict[str, Any]]) -> tuple[int, int]:
    """Rows of raw and of quarantine that go with these loads, which end at the horizon."""
    ids = [load["load_id"] for load in batch]
    rejected = [load["load_id"] for load in batch if load["status"] == "rejected"]
    parameters = {
        "loads": ids,
        "rejected": rejected,
        "horizon": ids[-1],
        "source": place.source.source,
        "table": place.name,
    }
    records = quarantined = 0
    if raw.columns(connection, place.source.raw_schema, place.name):
        query = sql.SQL("delete from {} where _load_id = any(%(rejected)s)").format(place.raw)
        records += connection.execute(query, parameters).rowcount
        records += _thin(connection, place, parameters)
        query = sql.SQL("delete from {} where load_id = any(%(loads)s)").format(place.quarantine)
        quarantined = connection.execute(query, parameters).rowcount
    for statement in _MARK:
        connection.execute(statement, parameters)
    return records, quarantined


def _thin(connection: psycopg.Connection[Any], place: Place, parameters: dict[str, Any]) -> int:
    unit = place.table.unit
    names = {
        "raw": place.raw,
        "unit": versions.of("records", unit),
        "plain_unit": sql.SQL(", ").join(map(sql.Identifier, unit)),
        "younger_unit": versions.of("younger", unit),
        "ranked_unit": versions.of("ranked", unit),
        "age": versions.AGE,
        "order": versions.NEWEST,
    }
    units = _UNITS if place.table.key else _UNITS + _FILE_UNITS
    connection.execute(sql.SQL(units).format(**names), parameters)
    connection.execute("analyze due")
    gone = 0
    if place.table.key:
        connection.execute(sql.SQL(_VERSIONS).format(**names), parameters)
        for statement in (_THIN, _TOMBSTONES):
            gone += connection.execute(sql.SQL(statement).format(**names), parameters).rowcount
        connection.execute("drop table ranked")
    else:
        gone += connection.execute(sql.SQL(_FILES).format(**names), parameters).rowcount
    connection.execute("drop table due")
    return gone
