"""A source that no longer shows what it had shown: an extract reads its last records again, and none of them comes.

A cursor is read from its newest value on, less the overlap: within the overlap, records come again on the quietest night.
Where every table of a source is empty all the same, its records are gone or hidden from us, as after a lost permission;
without a word from anybody it would look like a quiet night.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest import versions
from lifehouse.ingest.declaration import Source
from lifehouse.ingest.raw import Place

#: Fewer may have been deleted at the source since.
FEW = 5

#: Tables of the load that were read again from a place on, unless a person has already accepted that nothing is there.
_READ_AGAIN = """
select counts.table_name, counts.cursor_from
from control.load_tables as counts
inner join control.loads as loads using (load_id)
where counts.load_id = %(load)s and loads.kind = 'delivery' and counts.cursor_from is not null
    and not exists (
        select
        from control.load_tables as earlier
        inner join control.loads as theirs using (load_id)
        where theirs.source = %(source)s and theirs.status = 'accepted' and theirs.kind = 'delivery'
            and earlier.table_name = counts.table_name and earlier.received = 0
            and earlier.cursor_from = counts.cursor_from
    )
"""

_SHOWN = """
select count(*)
from (
    select distinct on ({unit}) records.{cursor} as reached, records._deleted
    from {raw} as records
    inner join control.loads as loads on records._load_id = loads.load_id
    where loads.status = 'accepted'
        and ({unit}) in (select {again} from {raw} as again where again.{cursor} > {place}::{type})
    order by {unit}, {newest}
) as current
where not _deleted and reached > {place}::{type}
"""


def of_load(connection: psycopg.Connection[Any], source: Source, load_id: int) -> dict[str, int]:
    """By table: how many records were there when it was last read, should have come again, and did not.

    Empty unless the load received nothing at all, in any table, and they are enough to be no chance.
    """
    row = connection.execute(
        "select coalesce(sum(received), 0) from control.load_tables where load_id = %s", (load_id,)
    ).fetchone()
    if row is None or row[0]:
        return {}
    asked = connection.execute(_READ_AGAIN, {"load": load_id, "source": source.source}).fetchall()
    found = {}
    for table, place in asked:
        if table in source.tables and source.tables[table].key and source.tables[table].cursor:
            found[table] = _shown(connection, Place(source, table), place)
    missing = {table: count for table, count in found.items() if count}
    return missing if sum(missing.values()) >= FEW else {}


def _shown(connection: psycopg.Connection[Any], place: Place, cursor_from: str) -> int:
    """Living records of a table beyond a place of its cursor."""
    cursor = place.table.cursor or ""
    query = sql.SQL(_SHOWN).format(
        unit=versions.of("records", place.table.key),
        again=versions.of("again", place.table.key),
        raw=place.raw,
        cursor=sql.Identifier(cursor),
        type=sql.SQL(place.table.columns[cursor].type),
        place=sql.Literal(cursor_from),
        newest=versions.NEWEST,
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
