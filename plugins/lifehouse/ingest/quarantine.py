"""A person's word on records that were set aside: released into raw, or discarded. Each is decided once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.ingest import lock, raw, released
from lifehouse.ingest.declaration import find_source
from lifehouse.ingest.raw import Place

_CHOOSE = """
create temporary table chosen on commit drop as
select waiting.quarantine_id, waiting.load_id, waiting.reason, waiting.column_name, waiting.payload
from {quarantine} as waiting
inner join control.loads on waiting.load_id = loads.load_id
where waiting.decision is null and loads.status = 'accepted'
    and (%(load)s::bigint is null or waiting.load_id = %(load)s)
    and (%(rule)s::text is null or waiting.reason = %(rule)s)
    and (%(ids)s::bigint[] is null or waiting.quarantine_id = any(%(ids)s))
"""

_MARK = """
update {quarantine} as records
set decision = %(decision)s, decided_at = clock_timestamp(), decided_by = %(by)s, decision_reason = %(reason)s,
    released_load_id = %(into)s
from chosen
where records.quarantine_id = chosen.quarantine_id and chosen.load_id = %(load)s
"""

_COUNT = """
update control.quarantined as told
set {column} = told.{column} + counted.rows
from (
    select load_id, coalesce(column_name, '') as column_name, reason, count(*) as rows
    from chosen
    group by load_id, column_name, reason
) as counted
where told.load_id = counted.load_id and told.table_name = %(table)s
    and told.column_name = counted.column_name and told.reason = counted.reason
"""


@dataclass(frozen=True)
class Selection:
    """Which waiting records are meant; what is None does not narrow it. ``ids`` are those of one table."""

    source: str
    table: str | None = None
    load_id: int | None = None
    rule: str | None = None
    ids: Sequence[int] | None = None


@dataclass(frozen=True)
class Decided:
    """How many records of each table were decided on, and the loads that released ones came into."""

    tables: dict[str, int]
    loads: tuple[int, ...] = ()

    @property
    def records(self) -> int:
        return sum(self.tables.values())


def release(
    ctx: Context, chosen: Selection, *, by: str, reason: str, corrections: Mapping[str, str] | None = None
) -> Decided:
    """Accept the chosen records in spite of the rule that set them aside; the next run takes them in.

    They enter as accepted loads of the kind ``released``, one for each delivery that they came with: they are as old as
    that one, so a version of the same key that came later stays the newest.

    :param corrections: column -> value that each chosen record gets.
    :raises LifehouseError: some of them cannot be stored (nothing is released then), or a table or column is unknown.
    """
    return _decide(ctx, chosen, "released", by, reason, corrections or {})


def discard(ctx: Context, chosen: Selection, *, by: str, reason: str) -> Decided:
    """Set down that the chosen records will not be released; they stay where they are, and are counted."""
    return _decide(ctx, chosen, "discarded", by, reason, {})


def _decide(
    ctx: Context, chosen: Selection, decision: str, by: str, reason: str, corrections: Mapping[str, str]
) -> Decided:
    if not reason.strip():
        raise LifehouseError("say why: a reason is kept with each decision")
    source = find_source(ctx.project, chosen.source)
    if chosen.table is not None and chosen.table not in source.tables:
        known = ", ".join(source.tables)
        raise LifehouseError(f"{source.source} has no table {chosen.table!r}; there are: {known}")
    if chosen.ids is not None and chosen.table is None:
        raise LifehouseError("an id is that of a record in one table: say which table")
    tables: dict[str, int] = {}
    loads: dict[int, int] = {}  # the delivery: the load that its records are released into
    with lock.held(ctx, source.source), ctx.warehouse.connect() as connection:
        settings = {"timezone": source.time_zone, "datestyle": f"ISO, {source.date_order}"}
        for name, value in {**settings, "client_min_messages": "warning"}.items():
            connection.execute("select set_config(%s, %s, true)", (name, value))
        for name in [chosen.table] if chosen.table else list(source.tables):
            place = Place(source, name)
            if not raw.columns(connection, "quarantine", f"{source.source}_{name}"):
                continue
            raw.prepare(connection, place)
            if not (count := _choose(connection, place, chosen)):
                continue
            tables[f"{source.source}.{name}"] = count
            if decision == "released":
                _known(place, corrections)
                released.check(connection, place, corrections)
            for (load,) in connection.execute("select distinct load_id from chosen order by 1").fetchall():
                into = None
                if decision == "released":
                    into = loads.get(load) or released.open_load(connection, source.source, load, by, reason)
                    loads[load] = into
                    released.store(connection, place, load, into)
                parameters = {"decision": decision, "by": by, "reason": reason, "into": into, "load": load}
                connection.execute(sql.SQL(_MARK).format(quarantine=place.quarantine), parameters)
            count_of = sql.SQL(_COUNT).format(column=sql.Identifier(decision))
            connection.execute(count_of, {"table": name})
            connection.execute("drop table chosen; drop table if exists storable")
    return Decided(tables, tuple(loads.values()))


def _choose(connection: psycopg.Connection[Any], place: Place, chosen: Selection) -> int:
    parameters = {
        "load": chosen.load_id,
        "rule": chosen.rule,
        "ids": list(chosen.ids) if chosen.ids is not None else None,
    }
    query = sql.SQL(_CHOOSE).format(quarantine=place.quarantine)
    count = connection.execute(query, parameters).rowcount
    if not count:
        connection.execute("drop table chosen")
    return count


def _known(place: Place, corrections: Mapping[str, str]) -> None:
    for name in corrections:
        if name not in place.table.columns:
            near = difflib.get_close_matches(name, place.table.columns, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise LifehouseError(f"{place.source.source}.{place.name} has no column {name!r}{hint}")
