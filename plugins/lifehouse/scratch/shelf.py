"""What a backfill keeps: one table per mart in ``scratch_<name>``, with the instant as its first column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.build.place import Place
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases import catalog
from lifehouse.scratch.knowledge import Knowledge


def keep(
    ctx: Context, name: str, place: Place, marts: Sequence[str], as_of: datetime, known: Knowledge
) -> None:
    """Copy the marts as they stand in the workplace, in one transaction: an instant is there complete or not at all.

    :raises LifehouseError: a table is there with other columns, made by other code.
    """
    with ctx.warehouse.connect() as connection:
        connection.execute("set local client_min_messages = warning")
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(place.target)))
        there = catalog.tables(connection, place.target)
        made = catalog.tables(connection, place.release)
        for mart in marts:
            columns = [column for column, _ in made[mart]]
            if mart in there and there[mart][1:] != made[mart]:
                raise LifehouseError(
                    f"{place.target}.{mart} has other columns than the code makes now: "
                    f"`lifehouse scratch drop {name}`, or fill another one by --into"
                )
            _copy(connection, place, mart, columns, as_of, is_new=mart not in there)
        connection.execute(_MADE, (name, as_of, known.fingerprint, known.change_seq))


def _copy(
    connection: psycopg.Connection[Any],
    place: Place,
    mart: str,
    columns: Sequence[str],
    as_of: datetime,
    *,
    is_new: bool,
) -> None:
    kept, work = sql.Identifier(place.target, mart), sql.Identifier(place.release, mart)
    if is_new:
        create = "create table {} (as_of timestamptz not null, like {} including comments)"
        connection.execute(sql.SQL(create).format(kept, work))
        connection.execute(sql.SQL("create index on {} (as_of)").format(kept))
    connection.execute(sql.SQL("delete from {} where as_of = %s").format(kept), (as_of,))
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    insert = sql.SQL("insert into {} (as_of, {}) select %s, {} from {}")
    connection.execute(insert.format(kept, listed, listed, work), (as_of,))


_MADE = """
    insert into control.scratch_as_ofs (name, as_of, fingerprint, change_seq) values (%s, %s, %s, %s)
    on conflict (name, as_of) do update set
        fingerprint = excluded.fingerprint, change_seq = excluded.change_seq, made_at = clock_timestamp()
"""
