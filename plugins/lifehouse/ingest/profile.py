"""The profile of a load: what of its rows breaks a rule, and what they look like, summed up day by day.

Kept in ``control.load_profiles`` as (total, n) by day, so that days and loads add up; a value is total / n.
Measures are aggregates: they say nothing of a single record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest import measures
from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import Rule, rules
from lifehouse.ingest.table import TIMES
from lifehouse.privacy.kinds import IDENTIFIERS

REMEMBERED = 56  # days of a load that are profiled, back from its newest
HOUR = "hour "  # and two digits: the measures that count a column's times by the hour of the day
_LARGE = 200_000  # rows; of larger loads only the last days' values are looked at
_LAST = 21  # days

_PROFILE = """
with placed as (
    select typed.*, {clock} as _clock{numbers}
    from {raw} as typed
    where typed._load_id = {load} and not typed._deleted and {recent}
    offset 0
),
counted as materialized (
    select typed._clock::date as day, {aggregates} from placed as typed group by 1
)
insert into control.load_profiles (load_id, table_name, day, column_name, measure, total, n)
select {load}, {table}, counted.day, measures.column_name, measures.measure, measures.total, measures.n
from counted
cross join lateral (values {measures}) as measures (column_name, measure, total, n)
where measures.n > 0 and measures.total is not null
"""

_DAYS = """
with counted as materialized (
    select {clock}::date as day, count(*) as rows, extract(epoch from max({newest})) as newest
    from {raw} as typed
    where typed._load_id = {load} and not typed._deleted and {recent}
    group by 1
)
insert into control.load_profiles (load_id, table_name, day, column_name, measure, total, n)
select {load}, {table}, counted.day, '', measures.measure, measures.total, 1
from counted
cross join lateral (values ('rows', counted.rows::float8), ('newest', counted.newest::float8)) as measures (measure, total)
where measures.total is not null
"""

_HOURS = """
insert into control.load_profiles (load_id, table_name, day, column_name, measure, total, n)
select
    {load}, {table}, {clock}::date, times.column_name, {hours} || lpad(times.hour::int::text, 2, '0'), count(*), count(*)
from {raw} as typed
cross join lateral (values {times}) as times (column_name, hour)
where typed._load_id = {load} and not typed._deleted and {recent} and times.hour is not null
group by 3, 4, 5
"""

#: Alone, not within an insert, so that large loads are scanned by several workers.
_RULES = """
select count(*), {counts} from {raw} as typed where typed._load_id = {load} and not typed._deleted
"""

_SHARED = """
with counted as (
    select count(*) as rows
    from {raw} as typed
    where typed._load_id = {load} and not typed._deleted and {recent} and {field}::text <> ''
    group by {field}
),
summed as (
    select max(rows) as most, sum(rows) - count(*) as repeated, sum(rows) as n from counted
)
insert into control.load_profiles (load_id, table_name, column_name, measure, total, n)
select {load}, {table}, {column}, measures.measure, measures.total, summed.n
from summed
cross join lateral (values ('crowd', summed.most), ('shared', summed.repeated)) as measures (measure, total)
where summed.n > 0
"""

_REPEATED_KEYS = """
select count(*)
from (select from {raw} where _load_id = {load} and not _deleted group by {key} having count(*) > 1) as repeated
"""

_KEEP_RULE = """
insert into control.load_profiles (load_id, table_name, column_name, measure, total, n) values (%s, %s, %s, %s, %s, %s)
"""


def clock_of(place: Place) -> str | None:
    """The column that tells a record's day: of freshness, the cursor, or the first time that every record has."""
    table = place.table
    if table.volume.clock:
        return table.volume.clock
    if table.freshness:
        return table.freshness.column
    if table.cursor:
        return table.cursor if table.columns[table.cursor].base_type in TIMES else None
    return next((n for n, c in table.columns.items() if c.base_type in TIMES and c.required), None)


def typed_rules(place: Place) -> list[Rule]:
    """The rules that a stored record keeps, in the order in which the scan numbers them."""
    return [rule for rule in rules(place.table, {}) if rule.on == "typed"]


def write(connection: psycopg.Connection[Any], places: Sequence[Place], load_id: int, zone: str) -> None:
    """Scan the load's rows of each table and keep their profile, in place of an earlier one.

    :param zone: the company's time zone, in which days are meant.
    """
    tables = [place.name for place in places]
    connection.execute(
        "delete from control.load_profiles where load_id = %s and table_name = any(%s)", (load_id, tables)
    )
    _count_rules(connection, places, load_id)
    loaded = dict(
        connection.execute(
            "select table_name, loaded from control.load_tables where load_id = %s", (load_id,)
        )
    )
    for place in places:
        _look(connection, place, load_id, zone, is_large=loaded.get(place.name, 0) > _LARGE)


def _look(
    connection: psycopg.Connection[Any], place: Place, load_id: int, zone: str, *, is_large: bool
) -> None:
    """What the rows of a table look like, day by day."""
    names = _names(place, load_id)
    zoned, name = sql.Literal(zone), clock_of(place)
    newest = sql.Literal(_newest(connection, place, load_id, name))
    clock: sql.Composable = newest
    recent: sql.Composable = sql.SQL("true")
    if name:
        clock = sql.SQL("typed.{}::timestamptz").format(sql.Identifier(name))
        recent = _since(clock, newest, REMEMBERED)
    freshness = place.table.freshness
    fresh = sql.SQL("typed.{}::timestamptz").format(sql.Identifier(freshness.column)) if freshness else clock
    names["clock"] = sql.SQL("timezone({}, {}::timestamptz)").format(zoned, clock)
    names["recent"] = recent
    connection.execute(sql.SQL(_DAYS).format(**names, newest=fresh))
    if name and is_large:
        names["recent"] = _since(clock, newest, _LAST)
    _sum_up(connection, place, names)
    _count_hours(connection, place, zone, names)
    for column in identifiers(place):
        told = {"field": sql.Identifier("typed", column), "column": sql.Literal(column)}
        connection.execute(sql.SQL(_SHARED).format(**names, **told))


def _names(place: Place, load_id: int) -> dict[str, sql.Composable]:
    return {"raw": place.raw, "load": sql.Literal(load_id), "table": sql.Literal(place.name)}


def identifiers(place: Place) -> dict[str, str]:
    """The columns by which people are told apart, with the kind of each; not the key, which is never there twice."""
    return {
        name: str(column.personal)
        for name, column in place.table.columns.items()
        if column.personal in IDENTIFIERS and column.history and (name,) != place.table.key
    }


def _since(clock: sql.Composable, newest: sql.Composable, days: int) -> sql.Composable:
    return sql.SQL("{} > {}::timestamptz - {} * interval '1 day'").format(clock, newest, sql.Literal(days))


def _sum_up(connection: psycopg.Connection[Any], place: Place, names: dict[str, sql.Composable]) -> None:
    """What the rows look like."""
    aggregates, values = [], []
    for number, measure in enumerate(measures.of_table(place, clock_of(place))):
        total, n = sql.Identifier(f"t{number}"), sql.Identifier(f"n{number}")
        aggregates += [
            sql.SQL("({})::float8 as {}").format(measure.total, total),
            sql.SQL("({})::bigint as {}").format(measure.n, n),
        ]
        told = (sql.Literal(measure.column), sql.Literal(measure.name))
        values.append(sql.SQL("({}, {}, counted.{}, counted.{})").format(*told, total, n))
    if values:
        query = sql.SQL(_PROFILE).format(
            **names,
            numbers=measures.numbers(place),
            aggregates=sql.SQL(", ").join(aggregates),
            measures=sql.SQL(", ").join(values),
        )
        connection.execute(query)


def _count_hours(
    connection: psycopg.Connection[Any], place: Place, zone: str, names: dict[str, sql.Composable]
) -> None:
    """How the times fall on the hours of the day; of records that come one by one, not in groups as an order's lines."""
    columns = [
        name
        for name, column in place.table.columns.items()
        if column.base_type in ("timestamptz", "timestamp") and column.history
    ]
    if not columns or len(place.table.key) != 1:
        return
    times = [
        sql.SQL("({}, date_part('hour', timezone({}, typed.{}::timestamptz)))").format(
            sql.Literal(name), sql.Literal(zone), sql.Identifier(name)
        )
        for name in columns
    ]
    query = sql.SQL(_HOURS).format(**names, times=sql.SQL(", ").join(times), hours=sql.Literal(HOUR))
    connection.execute(query)


def _count_rules(connection: psycopg.Connection[Any], places: Sequence[Place], load_id: int) -> None:
    """How many stored rows break each rule, and how many keys are there twice.

    Keys are counted in their order: a first load is walked along its index, in a third of the time that hashing takes.
    """
    found: list[tuple[int, str, str, str, Any, int]] = []
    connection.execute("set local enable_hashagg = off")
    for place in places:
        broken, names = typed_rules(place), _names(place, load_id)
        counts: list[sql.Composable] = [
            sql.SQL("count(*) filter (where {})").format(rule.condition) for rule in broken
        ]
        query = sql.SQL(_RULES).format(**names, counts=sql.SQL(", ").join(counts or [sql.SQL("null")]))
        rows, *totals = connection.execute(query).fetchone() or (0,)
        found += [
            (load_id, place.name, rule.column, f"rule {number}", total, rows)
            for number, (rule, total) in enumerate(zip(broken, totals, strict=False))
        ]
        if place.table.key:
            key = sql.SQL(", ").join(map(sql.Identifier, place.table.key))
            query = sql.SQL(_REPEATED_KEYS).format(**names, key=key)
            (repeated,) = connection.execute(query).fetchone() or (0,)
            found.append((load_id, place.name, "", "repeated keys", repeated, rows))
    connection.execute("set local enable_hashagg = on")
    with connection.cursor() as cursor:
        cursor.executemany(_KEEP_RULE, found)


def _newest(connection: psycopg.Connection[Any], place: Place, load_id: int, clock: str | None) -> Any:
    """The newest day that is profiled; a clock far ahead of now does not make the others forgotten."""
    if clock is None:
        query = sql.SQL("select opened_at from control.loads where load_id = {}").format(sql.Literal(load_id))
    else:
        query = sql.SQL(
            "select coalesce(max({0}::timestamptz) filter (where {0}::timestamptz <= loads.opened_at), "
            "max(loads.opened_at)) from {1} as records cross join control.loads as loads "
            "where records._load_id = {2} and loads.load_id = {2}"
        ).format(sql.Identifier("records", clock), place.raw, sql.Literal(load_id))
    row = connection.execute(query).fetchone()
    return row[0] if row else None
