"""Sift the landed rows of one table: what is bad goes to quarantine, what is unchanged stays out, the rest is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest import versions
from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import DUPLICATE, MISSING_KEY, Rule, is_flagged, landed_name, rules, value
from lifehouse.ingest.table import TIMES

_SIFT = """
create temporary table sifted on commit drop as
select
    typed.*,
    {deleted} as _deleted,
    (case {gone} {unreadable} {broken} end)::smallint as _rule,
    hashtextextended(row({columns}, typed._extra)::text, 0) as _hash
from (
    select
        landed.ctid as _landed,
        {values},
        {extra} as _extra,
        (case {unreadable_flags} end)::smallint as _unreadable
    from {landing} as landed
    offset 0
) as typed
"""

_LOAD = """
insert into {raw} ({columns}, _extra, _load_id, _loaded_at, _hash, _deleted)
select {columns}, _extra, %(load)s, %(at)s, _hash, _deleted
from sifted
where _rule is null and {is_new}
"""

_QUARANTINE = """
with bad as (
    select
        reasons.reason,
        nullif(reasons.column_name, '') as column_name,
        (to_jsonb(landed) - '_dlt_id' - '_dlt_load_id') as payload,
        case when num_nulls({unit}) = 0 then row({unit})::text end as _key,
        {came_since} as _newest
    from sifted
    inner join {landing} as landed on landed.ctid = sifted._landed
    inner join unnest(%(rules)s::int[], %(reasons)s::text[], %(columns)s::text[])
        as reasons (rule, reason, column_name) on sifted._rule = reasons.rule
),
hashed as (
    select *, hashtextextended(reason || payload::text, 0) as _hash from bad
)
insert into {quarantine} (load_id, reason, column_name, payload, _hash, _key)
select %(load)s, reason, column_name, payload, _hash, _key
from hashed
where not exists (
    select
    from {quarantine} as kept
    inner join control.loads on kept.load_id = loads.load_id
    where kept._hash = hashed._hash and loads.status = 'accepted' and kept.load_id >= hashed._newest
)
"""

#: The newest delivery of a bad record's key: one set aside before that is not the same any more.
_CAME_SINCE = """
(
    select coalesce(max({age}), 0)
    from {raw} as records
    inner join control.loads on records._load_id = loads.load_id
    where ({records_unit}) = ({unit}) and records._load_id < %(load)s and loads.status = 'accepted'
)
"""

_REASONS = """
insert into control.quarantined (load_id, table_name, column_name, reason, rows)
select load_id, %(table)s, coalesce(column_name, ''), reason, count(*)
from {quarantine}
where load_id = %(load)s
group by load_id, column_name, reason
"""


@dataclass(frozen=True)
class Sifted:
    """Counts of one table's landed rows; ``superseded`` and ``known`` are among the unchanged."""

    received: int = 0
    loaded: int = 0
    quarantined: int = 0
    superseded: int = 0
    known: int = 0
    flagged: int = 0
    cursor_to: str | None = None


def sift(
    connection: psycopg.Connection[Any], place: Place, landed: dict[str, str], load_id: int, opened_at: Any
) -> Sifted:
    """Sift ``landing_<source>.<table>``, whose columns and types are ``landed``, into raw and quarantine.

    What was landed stays in the temporary table ``sifted`` until :func:`clear`.
    """
    found = rules(place.table, landed)
    received = connection.execute(_sifting(place, landed, found)).rowcount
    is_new: sql.Composable = sql.SQL("true")
    if place.table.key:
        connection.execute("analyze sifted")
        versions.settle_duplicates(connection, place, len(found) + 1)
        is_new = versions.is_not_current(connection, place)
    columns = sql.SQL(", ").join(map(sql.Identifier, place.types))
    load = sql.SQL(_LOAD).format(raw=place.raw, columns=columns, is_new=is_new)
    loaded = connection.execute(load, {"load": load_id, "at": opened_at}).rowcount
    superseded, bad, reached = _counted(connection, place, opened_at)
    quarantined = _set_aside(connection, place, found, load_id) if bad else 0
    flagged = 0
    if place.table.deletions and place.table.deletions.flag:
        query = sql.SQL("select count(*) from {} where _load_id = %s and _deleted").format(place.raw)
        row = connection.execute(query, (load_id,)).fetchone()
        flagged = row[0] if row else 0
    return Sifted(received, loaded, quarantined, superseded, bad - quarantined, flagged, reached)


def clear(connection: psycopg.Connection[Any]) -> None:
    """Make room for the next table."""
    connection.execute("drop table if exists sifted; drop table if exists current_version")


def _sifting(place: Place, landed: dict[str, str], found: list[Rule]) -> sql.Composed:
    table = place.table
    given = [name for name in table.given if name in landed]
    values = [sql.SQL("landed.{0} as {0}").format(sql.Identifier(name)) for name in given]
    values += [
        sql.SQL("{} as {}").format(value(name, column, landed), sql.Identifier(name))
        for name, column in table.columns.items()
    ]
    flags = [
        sql.SQL("when {} then {}").format(rule.condition, sql.Literal(number))
        for number, rule in enumerate(found, 1)
        if rule.on == "landed"
    ]
    broken = [
        sql.SQL("when {} then {}").format(rule.condition, sql.Literal(number))
        for number, rule in enumerate(found, 1)
        if rule.on == "typed"
    ]
    nameless = [
        sql.SQL("when {} then {}").format(rule.condition, sql.Literal(number))
        for number, rule in enumerate(found, 1)
        if rule.on == "typed" and rule.column in table.key and rule.reason == MISSING_KEY
    ]
    blank = sql.SQL(" ")
    deleted = is_flagged(table)
    # Of a record that says it is deleted, nothing but its key is of interest.
    gone = sql.SQL("when {} then case {} end").format(deleted, blank.join(nameless))
    return sql.SQL(_SIFT).format(
        deleted=deleted,
        gone=gone if table.deletions and table.deletions.flag else sql.SQL(""),
        unreadable=sql.SQL("when typed._unreadable is not null then typed._unreadable"),
        unreadable_flags=blank.join(flags) if flags else sql.SQL("when false then 0"),
        broken=blank.join(broken),
        columns=sql.SQL(", ").join(sql.Identifier("typed", name) for name in table.columns),
        values=sql.SQL(", ").join(values),
        extra=_extra(place, landed),
        landing=place.landing,
    )


def _extra(place: Place, landed: dict[str, str]) -> sql.Composable:
    """What came beyond the declared columns, as jsonb; null when there is nothing."""
    if "_extra" in landed:
        return sql.SQL("landed._extra::jsonb")
    known = {*place.table.given, "_malformed", "_dlt_id", "_dlt_load_id"}
    known |= {landed_name(name, column) for name, column in place.table.columns.items()}
    pairs = [
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier("landed", name))
        for name in landed
        if name not in known
    ]
    if not pairs:
        return sql.SQL("null::jsonb")
    return sql.SQL("nullif(jsonb_strip_nulls(jsonb_build_object({})), '{{}}'::jsonb)").format(
        sql.SQL(", ").join(pairs)
    )


def _set_aside(connection: psycopg.Connection[Any], place: Place, found: list[Rule], load_id: int) -> int:
    """How many of the bad rows were not in quarantine yet, and are now."""
    listed = [*((rule.reason, rule.column) for rule in found), (DUPLICATE, ", ".join(place.table.key))]
    parameters = {
        "load": load_id,
        "table": place.name,
        "rules": list(range(1, len(listed) + 1)),
        "reasons": [reason for reason, _ in listed],
        "columns": [column for _, column in listed],
    }
    unit = versions.of("sifted", place.table.key)
    query = sql.SQL(_QUARANTINE).format(
        landing=place.landing,
        quarantine=place.quarantine,
        unit=unit if place.table.key else sql.SQL("null::text"),
        came_since=_came_since(place, unit),
    )
    kept = connection.execute(query, parameters).rowcount
    connection.execute(sql.SQL(_REASONS).format(quarantine=place.quarantine), parameters)
    return kept


def _came_since(place: Place, unit: sql.Composable) -> sql.Composable:
    if not place.table.key:  # a file that comes again replaces its bad lines too
        return sql.SQL("%(load)s")
    return sql.SQL(_CAME_SINCE).format(
        age=versions.AGE, raw=place.raw, records_unit=versions.of("records", place.table.key), unit=unit
    )


def _counted(
    connection: psycopg.Connection[Any], place: Place, opened_at: Any
) -> tuple[int, int, str | None]:
    """Superseded rows, bad rows, and the greatest cursor received.

    The cursor is no later than now: a clock gone wrong at the source must not hide what follows.
    """
    table = place.table
    reached: sql.Composable = sql.SQL("null")
    if table.cursor:
        kind = table.columns[table.cursor].base_type
        now = sql.SQL("{}::timestamptz::{}").format(sql.Literal(opened_at), sql.SQL(kind))
        capped = "case when max({0}) > {1} then {1} else max({0}) end" if kind in TIMES else "max({0})"
        reached = sql.SQL(capped).format(sql.Identifier(table.cursor), now)
    query = sql.SQL(
        "select count(*) filter (where _rule = {}), count(*) filter (where _rule > 0), ({})::text from sifted"
    ).format(sql.Literal(versions.SUPERSEDED), reached)
    row = connection.execute(query).fetchone()
    return (row[0], row[1], row[2]) if row else (0, 0, None)
