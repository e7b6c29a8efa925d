"""Records out of quarantine, as rows of raw: read from their payload, corrected, checked for being storable at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.errors import LifehouseError
from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import MALFORMED, MISSING_KEY, is_flagged, landed_name, rules, value

#: A payload read as if it had been landed, all as text.
_STORABLE = """
create temporary table storable on commit drop as
select
    typed.*,
    {deleted} as _deleted,
    (case when typed._unreadable is not null then typed._unreadable {nameless} end)::smallint as _rule,
    hashtextextended(row({columns}, typed._extra)::text, 0) as _hash
from (
    select
        landed.load_id as _origin,
        {values},
        landed._extra,
        (case {unreadable} end)::smallint as _unreadable
    from (
        select load_id, {texts}, payload ->> '_malformed' as _malformed, {extra} as _extra
        from chosen
    ) as landed
    offset 0
) as typed
"""

_OPEN = """
insert into control.loads
    (source, status, decided_at, decided_by, reason, change_seq, kind, origin_load_id)
values
    (%(source)s, 'accepted', clock_timestamp(), %(by)s, %(reason)s, nextval('control.change_seq'), 'released', %(load)s)
returning load_id
"""

_STORE = """
insert into {raw} ({columns}, _extra, _load_id, _loaded_at, _hash, _deleted)
select {listed}, storable._extra, %(into)s, loads.opened_at, storable._hash, storable._deleted
from storable
inner join control.loads on loads.load_id = %(into)s
where storable._origin = %(load)s
"""


def check(connection: psycopg.Connection[Any], place: Place, corrections: Mapping[str, str]) -> None:
    """Read the records in ``chosen`` into ``storable``.

    :raises LifehouseError: some have a value that does not fit its type, no key, or a key that another has too; how many.
    """
    table = place.table
    texts = {landed_name(name, column): "text" for name, column in table.columns.items()}
    found = rules(table, {**texts, "_malformed": "text"})
    unreadable = [(number, rule) for number, rule in enumerate(found, 1) if rule.on == "landed"]
    nameless = [(number, rule) for number, rule in enumerate(found, 1) if rule.reason == MISSING_KEY]
    connection.execute(
        sql.SQL(_STORABLE).format(
            deleted=is_flagged(table),
            nameless=_cases(nameless),
            unreadable=_cases(unreadable),
            columns=sql.SQL(", ").join(sql.Identifier("typed", name) for name in table.columns),
            values=sql.SQL(", ").join(_values(place, texts)),
            texts=sql.SQL(", ").join(_texts(place, corrections)),
            extra=_extra(place),
        )
    )
    bad = connection.execute(
        "select _rule, count(*) from storable where _rule is not null group by _rule order by _rule"
    ).fetchall()
    told = [_told(found[number - 1].column, found[number - 1].reason, count) for number, count in bad]
    told += _twice(connection, place)
    if told:
        raise LifehouseError(
            f"nothing was released: {place.source.source}.{place.name}: {'; '.join(told)}. "
            "Correct them by `--set column=value`, or choose others"
        )


def open_load(connection: psycopg.Connection[Any], source: str, load_id: int, by: str, reason: str) -> int:
    """A load of the kind ``released``, accepted by a person, as old as the delivery ``load_id``."""
    parameters = {"source": source, "load": load_id, "by": by, "reason": reason}
    row = connection.execute(_OPEN, parameters).fetchone()
    assert row is not None  # noqa: S101  an insert returns its row
    return int(row[0])


def store(connection: psycopg.Connection[Any], place: Place, load_id: int, into: int) -> None:
    """Put the storable records of one delivery into raw, and count them."""
    names = tuple(place.types)
    query = sql.SQL(_STORE).format(
        raw=place.raw,
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        listed=sql.SQL(", ").join(sql.Identifier("storable", name) for name in names),
    )
    stored = connection.execute(query, {"load": load_id, "into": into}).rowcount
    connection.execute(
        "insert into control.load_tables (load_id, table_name, received, loaded, unchanged, quarantined) "
        "values (%s, %s, %s, %s, 0, 0)",
        (into, place.name, stored, stored),
    )


def _cases(numbered: list[tuple[int, Any]]) -> sql.Composable:
    return sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(rule.condition, sql.Literal(number)) for number, rule in numbered
    )


def _values(place: Place, texts: dict[str, str]) -> list[sql.Composable]:
    given: list[sql.Composable] = [
        sql.SQL("landed.{0}::{1} as {0}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in place.table.given.items()
    ]
    return given + [
        sql.SQL("{} as {}").format(value(name, column, texts), sql.Identifier(name))
        for name, column in place.table.columns.items()
    ]


def _texts(place: Place, corrections: Mapping[str, str]) -> list[sql.Composable]:
    """Each column's value as text, under its name at the source."""
    texts: list[sql.Composable] = [
        sql.SQL("payload ->> {} as {}").format(sql.Literal(name), sql.Identifier(name))
        for name in place.table.given
    ]
    for name, column in place.table.columns.items():
        at_source = landed_name(name, column)
        read: sql.Composable = sql.SQL("payload ->> {}").format(sql.Literal(at_source))
        if name in corrections:
            read = sql.SQL("nullif({}::text, '')").format(sql.Literal(corrections[name]))
        texts.append(sql.SQL("{} as {}").format(read, sql.Identifier(at_source)))
    return texts


def _extra(place: Place) -> sql.Composable:
    """What came beyond the declared columns, in the form in which sifting keeps it."""
    known = {*place.table.given, "_malformed", "_extra"}
    known |= {landed_name(name, column) for name, column in place.table.columns.items()}
    return sql.SQL(
        "coalesce((payload ->> '_extra')::jsonb, nullif(jsonb_strip_nulls(payload - {}::text[]), '{{}}'::jsonb))"
    ).format(sql.Literal(sorted(known)))


def _told(column: str, reason: str, count: int) -> str:
    words = "cannot be read" if reason == MALFORMED else reason
    return f"{column + ': ' if column else ''}{count:,} records: {words}"


def _twice(connection: psycopg.Connection[Any], place: Place) -> list[str]:
    """Two records of one delivery with one key: a person has to choose."""
    if not place.table.key:
        return []
    key = sql.SQL(", ").join(map(sql.Identifier, place.table.key))
    query = sql.SQL(
        "select coalesce(sum(rows), 0) from (select count(*) as rows from storable where _rule is null "
        "group by _origin, {} having count(*) > 1) as repeated"
    ).format(key)
    row = connection.execute(query).fetchone()
    if not row or not row[0]:
        return []
    return [
        f"{int(row[0]):,} records share their key with another of the same delivery: release one by `--id`"
    ]
