"""What the source deleted, set down in raw: rows that carry a key and ``_deleted``, part of the load like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest import raw, versions
from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import landed_name, value
from lifehouse.ingest.table import FileTable

_LISTED = """
create temporary table listed on commit drop as
select distinct {unit} from ({rows}) as rows where num_nulls({unit}) = 0
"""

#: Keys that live in raw and are not on the list; what came with this very load lives whatever the list says.
_BURY = """
with unlisted as (
    select distinct {records_unit}
    from {raw} as records
    where records._load_id <> %(load)s
        and not exists (select from listed where ({listed_unit}) = ({records_unit}))
),
newest as (
    select distinct on ({records_unit}) {records_unit}, records._deleted
    from {raw} as records
    inner join unlisted using ({unit})
    inner join control.loads on records._load_id = loads.load_id
    where loads.status = 'accepted'
    order by {records_unit}, {order}
)
insert into {raw} ({unit}, _load_id, _loaded_at, _hash, _deleted)
select {unit}, %(load)s, %(at)s, 0, true
from newest
where not newest._deleted
    and not exists (
        select from {raw} as records where records._load_id = %(load)s and ({records_unit}) = ({newest_unit})
    )
"""

#: Keys on the list that are deleted in raw, and did not come with this load: their last version lives again.
_REVIVE = """
with buried as (
    select distinct {records_unit}
    from {raw} as records
    inner join listed using ({unit})
    where records._deleted
),
versions as (
    select
        records._row,
        {records_unit},
        records._deleted,
        records._load_id,
        row_number() over (partition by {records_unit} order by {order}) as place,
        row_number() over (partition by {records_unit}, records._deleted order by {order}) as place_of_its_kind
    from {raw} as records
    inner join buried using ({unit})
    inner join control.loads on records._load_id = loads.load_id
    where loads.status = 'accepted' or loads.load_id = %(load)s
),
dead as (
    select {unit} from versions where place = 1 and _deleted and _load_id <> %(load)s
)
insert into {raw} ({columns}, _extra, _load_id, _loaded_at, _hash)
select {selected}, records._extra, %(load)s, %(at)s, records._hash
from {raw} as records
inner join versions using (_row)
inner join dead on ({dead_unit}) = ({records_unit})
where versions.place_of_its_kind = 1 and not versions._deleted
"""

_LOGGED = """
insert into {raw} ({unit}, _load_id, _loaded_at, _hash, _deleted)
select distinct {logged}, %(load)s::bigint, %(at)s::timestamptz, 0, true
from {log} as logged
where logged._load_id = %(load)s and not logged._deleted and num_nulls({logged}) = 0
"""

_YOUNGER = """
    and not exists (
        select
        from {raw} as records
        where records._load_id = %(load)s and ({records_unit}) = ({logged}) and records.{cursor} > logged.{at}
    )
"""


@dataclass(frozen=True)
class Gone:
    """Tombstones written, keys that live again, and listed keys that cannot be read (then nothing is deleted)."""

    deleted: int = 0
    revived: int = 0
    unreadable: int = 0


def keys_table(name: str) -> str:
    """Where the full list of a table's keys lands, if it is read apart from the records."""
    return f"{name}__keys"


def is_listed_apart(place_table: Any) -> bool:
    """Whether the full list of keys needs an extract of its own: a cursor brings only what is new."""
    return bool(place_table.deletions and place_table.deletions.keys and place_table.cursor)


def by_list(
    connection: psycopg.Connection[Any], place: Place, landed: dict[str, str], load_id: int, at: Any
) -> Gone:
    """Compare raw with the full list of keys of this ingest, if the table declares one and it came.

    :param landed: columns of the table's landing table, whose sifted rows stand in ``sifted``; empty: there is none.
    """
    table = place.table
    if not (table.deletions and table.deletions.keys):
        return Gone()
    rows = _list(connection, place, landed)
    if rows is None:
        return Gone()
    key, unit = table.key, sql.SQL(", ").join(map(sql.Identifier, table.key))
    query = sql.SQL("select count(*) from ({}) as rows where num_nulls({}) > 0").format(rows, unit)
    if unreadable := _count(connection, query):
        return Gone(unreadable=unreadable)
    connection.execute(sql.SQL(_LISTED).format(unit=unit, rows=rows))
    connection.execute("analyze listed")
    names = {
        "raw": place.raw,
        "unit": unit,
        "columns": sql.SQL(", ").join(map(sql.Identifier, place.types)),
        "selected": versions.of("records", tuple(place.types)),
        "order": versions.NEWEST,
        **{f"{alias}_unit": versions.of(alias, key) for alias in ("records", "listed", "newest", "dead")},
    }
    parameters = {"load": load_id, "at": at}
    buried = connection.execute(sql.SQL(_BURY).format(**names), parameters).rowcount
    revived = connection.execute(sql.SQL(_REVIVE).format(**names), parameters).rowcount
    connection.execute("drop table listed")
    return Gone(buried, revived)


def by_log(connection: psycopg.Connection[Any], place: Place, load_id: int, at: Any) -> int:
    """Tombstones for the keys that the table's log names for the first time in this load."""
    log = place.table.deletions.log if place.table.deletions else None
    if log is None:
        return 0
    key = place.table.key
    columns = [sql.Identifier("logged", log.key[name]) for name in key]
    kinds = [sql.SQL(place.table.columns[name].type) for name in key]
    plain = sql.SQL(", ").join(sql.SQL("{}::{}").format(*pair) for pair in zip(columns, kinds, strict=True))
    query = sql.SQL(_LOGGED).format(
        raw=place.raw,
        unit=sql.SQL(", ").join(map(sql.Identifier, key)),
        logged=plain,
        log=Place(place.source, log.table).raw,
    )
    if log.at and place.table.cursor:
        query += sql.SQL(_YOUNGER).format(
            raw=place.raw,
            records_unit=versions.of("records", key),
            logged=plain,
            cursor=sql.Identifier(place.table.cursor),
            at=sql.Identifier(log.at),
        )
    return connection.execute(query, {"load": load_id, "at": at}).rowcount


def _list(connection: psycopg.Connection[Any], place: Place, landed: dict[str, str]) -> sql.Composable | None:
    """The rows of the list, with the table's key columns; None when no list came."""
    table = place.table
    key = sql.SQL(", ").join(map(sql.Identifier, table.key))
    if isinstance(table, FileTable):
        return _file_list(connection, place, key) if landed else None
    if not is_listed_apart(table):
        if landed:
            return sql.SQL("select {} from sifted").format(key)
        return _nothing(place)
    name = keys_table(place.name)
    found = raw.columns(connection, place.source.landing_schema, name)
    if not found:
        return _nothing(place)
    values = [
        sql.SQL("{} as {}").format(value(column, table.columns[column], found), sql.Identifier(column))
        for column in table.key
    ]
    return sql.SQL("select {} from {} as landed").format(
        sql.SQL(", ").join(values), sql.Identifier(place.source.landing_schema, name)
    )


def _file_list(
    connection: psycopg.Connection[Any], place: Place, key: sql.Composable
) -> sql.Composable | None:
    """A file is a whole list: the last by name that there is; None when only older ones came again."""
    newest = connection.execute(sql.SQL("select max(_file) from sifted")).fetchone()
    known = connection.execute(
        """
        select max(files.file)
        from control.files
        inner join control.loads using (load_id)
        where files.source = %s and files.table_name = %s and loads.status = 'accepted'
        """,
        (place.source.source, place.name),
    ).fetchone()
    if not newest or newest[0] is None or (known and known[0] is not None and known[0] > newest[0]):
        return None
    return sql.SQL("select {} from sifted where _file = {}").format(key, sql.Literal(newest[0]))


def _nothing(place: Place) -> sql.Composable:
    """The list was read, and is empty."""
    values = [
        sql.SQL("null::{} as {}").format(sql.SQL(place.table.columns[name].type), sql.Identifier(name))
        for name in place.table.key
    ]
    return sql.SQL("select {} where false").format(sql.SQL(", ").join(values))


def _count(connection: psycopg.Connection[Any], query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def landed_key(table: Any) -> dict[str, str]:
    """The key columns by their names at the source."""
    return {name: landed_name(name, table.columns[name]) for name in table.key}
