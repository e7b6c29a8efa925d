"""Sift the landed rows of one table: what is bad goes to quarantine, what is unchanged stays out, the rest is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import DUPLICATE, Rule, landed_name, rules, value

_SUPERSEDED = -1  # an older version within the same delivery

_SIFT = """
create temporary table sifted on commit drop as
select
    typed.*,
    (case {unreadable} {broken} end)::smallint as _rule,
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

_CURRENT = """
create temporary table current_version on commit drop as
select distinct on ({unit}) {unit}, records._hash
from {raw} as records
inner join control.loads on records._load_id = loads.load_id
where loads.status = 'accepted' and ({unit}) in (select {plain_unit} from sifted)
order by {unit}, records._load_id desc
"""

_LOAD = """
insert into {raw} ({columns}, _extra, _load_id, _loaded_at, _hash)
select {columns}, _extra, %(load)s, %(at)s, _hash
from sifted
where _rule is null {is_new}
"""

_DUPLICATES = """
with repeated as (
    select {unit} from sifted where _rule is null group by {unit} having count(*) > 1
),
ranked as (
    select
        sifted._landed,
        sifted._hash,
        {unit_of_sifted},
        rank() over newest as place,
        row_number() over (partition by {unit_of_sifted} order by {order}, sifted._landed) as number
    from sifted
    inner join repeated using ({unit})
    where sifted._rule is null
    window newest as (partition by {unit_of_sifted} order by {order})
),
conflicts as (
    select {unit} from ranked where place = 1 group by {unit} having count(distinct _hash) > 1
),
verdicts as (
    select
        ranked._landed,
        (case when conflicts.is_one then %(duplicate)s else %(superseded)s end)::smallint as rule
    from ranked
    left join (select *, true as is_one from conflicts) as conflicts using ({unit})
    where conflicts.is_one or ranked.number > 1
)
update sifted set _rule = verdicts.rule
from verdicts
where sifted._landed = verdicts._landed
"""

_QUARANTINE = """
with bad as (
    select
        reasons.reason,
        nullif(reasons.column_name, '') as column_name,
        (to_jsonb(landed) - '_dlt_id' - '_dlt_load_id') as payload
    from sifted
    inner join {landing} as landed on landed.ctid = sifted._landed
    inner join unnest(%(rules)s::int[], %(reasons)s::text[], %(columns)s::text[])
        as reasons (rule, reason, column_name) on sifted._rule = reasons.rule
),
hashed as (
    select *, hashtextextended(reason || payload::text, 0) as _hash from bad
)
insert into {quarantine} (load_id, reason, column_name, payload, _hash)
select %(load)s, reason, column_name, payload, _hash
from hashed
where not exists (
    select
    from {quarantine} as kept
    inner join control.loads on kept.load_id = loads.load_id
    where kept._hash = hashed._hash and loads.status = 'accepted'
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
    cursor_to: str | None = None


def sift(
    connection: psycopg.Connection[Any], place: Place, landed: dict[str, str], load_id: int, opened_at: Any
) -> Sifted:
    """Sift ``landing_<source>.<table>``, whose columns and types are ``landed``, into raw and quarantine."""
    found = rules(place.table, landed)
    received = connection.execute(_sifting(place, landed, found)).rowcount
    if place.table.key:
        connection.execute("analyze sifted")
    superseded = _settle_duplicates(connection, place, len(found) + 1) if place.table.key else 0
    is_new = sql.SQL("")
    if place.table.key and _has_records(connection, place):
        _find_current(connection, place)
        is_new = sql.SQL(
            "and not exists (select from current_version as known where ({0}) = ({1}) and known._hash = sifted._hash)"
        ).format(_of("known", place.table.key), _of("sifted", place.table.key))
    columns = sql.SQL(", ").join(map(sql.Identifier, place.types))
    load = sql.SQL(_LOAD).format(raw=place.raw, columns=columns, is_new=is_new)
    loaded = connection.execute(load, {"load": load_id, "at": opened_at}).rowcount
    bad, quarantined = _set_aside(connection, place, found, load_id)
    reached = _reached(connection, place, opened_at)
    connection.execute("drop table sifted; drop table if exists current_version")
    return Sifted(received, loaded, quarantined, superseded, bad - quarantined, reached)


def _sifting(place: Place, landed: dict[str, str], found: list[Rule]) -> sql.Composable:
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
    blank = sql.SQL(" ")
    return sql.SQL(_SIFT).format(
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


def _of(alias: str, names: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)


def _has_records(connection: psycopg.Connection[Any], place: Place) -> bool:
    row = connection.execute(sql.SQL("select exists (select from {})").format(place.raw)).fetchone()
    return bool(row and row[0])


def _find_current(connection: psycopg.Connection[Any], place: Place) -> None:
    key = place.table.key
    connection.execute(
        sql.SQL(_CURRENT).format(
            unit=_of("records", key),
            plain_unit=sql.SQL(", ").join(map(sql.Identifier, key)),
            raw=place.raw,
        )
    )
    connection.execute("analyze current_version")


def _settle_duplicates(connection: psycopg.Connection[Any], place: Place, number: int) -> int:
    """Of several rows with one key the newest stays; rows that contradict each other are all bad."""
    table = place.table
    order = (
        [sql.SQL("{} desc nulls last").format(sql.Identifier("sifted", table.cursor))] if table.cursor else []
    )
    if "_file" in table.given:
        order.append(sql.SQL("sifted._file desc"))
    query = sql.SQL(_DUPLICATES).format(
        unit=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        unit_of_sifted=_of("sifted", table.key),
        order=sql.SQL(", ").join(order or [sql.SQL("true")]),
    )
    connection.execute(query, {"duplicate": number, "superseded": _SUPERSEDED})
    row = connection.execute("select count(*) from sifted where _rule = %s", (_SUPERSEDED,)).fetchone()
    return row[0] if row else 0


def _set_aside(
    connection: psycopg.Connection[Any], place: Place, found: list[Rule], load_id: int
) -> tuple[int, int]:
    """How many rows are bad, and how many of them were not in quarantine yet and are now."""
    row = connection.execute("select count(*) from sifted where _rule > 0").fetchone()
    if not row or not row[0]:
        return 0, 0
    listed = [*((rule.reason, rule.column) for rule in found), (DUPLICATE, ", ".join(place.table.key))]
    parameters = {
        "load": load_id,
        "table": place.name,
        "rules": list(range(1, len(listed) + 1)),
        "reasons": [reason for reason, _ in listed],
        "columns": [column for _, column in listed],
    }
    query = sql.SQL(_QUARANTINE).format(landing=place.landing, quarantine=place.quarantine)
    kept = connection.execute(query, parameters).rowcount
    connection.execute(sql.SQL(_REASONS).format(quarantine=place.quarantine), parameters)
    return row[0], kept


def _reached(connection: psycopg.Connection[Any], place: Place, opened_at: Any) -> str | None:
    """The greatest cursor value received, no later than now: a clock gone wrong must not hide what follows."""
    table = place.table
    if table.cursor is None:
        return None
    column = sql.Identifier(table.cursor)
    is_time = table.columns[table.cursor].base_type in ("timestamptz", "timestamp", "date")
    capped = sql.SQL("case when max({0}) > {1} then {1} else max({0}) end" if is_time else "max({0})")
    kind = sql.SQL(table.columns[table.cursor].base_type)  # type: ignore[arg-type]
    now = sql.SQL("{}::timestamptz::{}").format(sql.Literal(opened_at), kind)
    row = connection.execute(
        sql.SQL("select {}::text from sifted").format(capped.format(column, now))
    ).fetchone()
    return row[0] if row else None
