"""Versions of a record: several in one delivery, and the one that raw holds already."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest.raw import Place

SUPERSEDED = -1  # an older version within the same delivery

_CURRENT = """
create temporary table current_version on commit drop as
select distinct on ({unit}) {unit}, records._hash, records._deleted, {age} as _age
from {raw} as records
inner join control.loads on records._load_id = loads.load_id
where loads.status = 'accepted' and ({unit}) in (select {plain_unit} from sifted)
order by {unit}, {order}
"""

_IS_NEW = """
not exists (
    select
    from current_version as known
    where ({known_unit}) = ({sifted_unit}) and known._hash = sifted._hash and known._deleted = sifted._deleted
)
"""

#: A bad record of the key came since, and may be released: then what comes now is not merely the same again.
_DISPUTED = """
delete from current_version as known
using {quarantine} as waiting
where waiting._key = row({known_unit})::text and waiting.load_id > known._age and waiting.decision is null
"""

#: How old a version is: as its delivery, or as that from which it was set aside.
AGE = sql.SQL("coalesce(loads.origin_load_id, loads.load_id)")
#: Newest first, of the versions of one unit; a tombstone wins against the record that came with it.
NEWEST = sql.SQL("{} desc, records._load_id desc, records._deleted desc").format(AGE)

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


def settle_duplicates(connection: psycopg.Connection[Any], place: Place, number: int) -> None:
    """Of several rows with one key the newest stays; rows that contradict each other are all bad."""
    table = place.table
    order: list[sql.Composable] = (
        [sql.SQL("{} desc nulls last").format(sql.Identifier("sifted", table.cursor))] if table.cursor else []
    )
    if "_file" in table.given:
        order.append(sql.SQL("sifted._file desc"))
    query = sql.SQL(_DUPLICATES).format(
        unit=sql.SQL(", ").join(map(sql.Identifier, table.key)),
        unit_of_sifted=of("sifted", table.key),
        order=sql.SQL(", ").join(order or [sql.SQL("true")]),
    )
    connection.execute(query, {"duplicate": number, "superseded": SUPERSEDED})


def is_not_current(connection: psycopg.Connection[Any], place: Place) -> sql.Composable:
    """A condition on ``sifted``: the record is not the same as the current version of its key in raw."""
    key = place.table.key
    nothing = connection.execute(sql.SQL("select not exists (select from {})").format(place.raw)).fetchone()
    if nothing and nothing[0]:
        return sql.SQL("true")
    plain = sql.SQL(", ").join(map(sql.Identifier, key))
    query = sql.SQL(_CURRENT).format(
        unit=of("records", key), plain_unit=plain, raw=place.raw, age=AGE, order=NEWEST
    )
    connection.execute(query)
    connection.execute("analyze current_version")
    known_unit = of("known", key)
    connection.execute(sql.SQL(_DISPUTED).format(quarantine=place.quarantine, known_unit=known_unit))
    return sql.SQL(_IS_NEW).format(known_unit=known_unit, sifted_unit=of("sifted", key))


def of(alias: str, names: tuple[str, ...]) -> sql.Composable:
    """The named columns of an alias, listed."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)
