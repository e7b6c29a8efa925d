"""The tables of ``raw_<source>`` and ``quarantine``: append-only, made and widened as the declaration says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.errors import ConfigError
from lifehouse.ingest.declaration import Source
from lifehouse.ingest.table import Table

_COLUMNS = """
select attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)
from pg_catalog.pg_attribute as attribute
where attribute.attrelid = to_regclass(%s) and attribute.attnum > 0 and not attribute.attisdropped
order by attribute.attnum
"""


@dataclass(frozen=True)
class Place:
    """One table of a source, and its identifiers in the warehouse."""

    source: Source
    name: str

    @property
    def table(self) -> Table:
        return self.source.tables[self.name]

    @property
    def landing(self) -> sql.Composable:
        return sql.Identifier(self.source.landing_schema, self.name)

    @property
    def raw(self) -> sql.Composable:
        return sql.Identifier(self.source.raw_schema, self.name)

    @property
    def quarantine(self) -> sql.Composable:
        return sql.Identifier("quarantine", f"{self.source.source}_{self.name}")

    @property
    def types(self) -> dict[str, str]:
        """Columns of the raw table that carry the record, with their types."""
        return {**self.table.given, **{name: column.type for name, column in self.table.columns.items()}}


def columns(connection: psycopg.Connection[Any], schema: str, table: str) -> dict[str, str]:
    """Name and Postgres type of the columns of a table, in order; empty if there is no such table."""
    name = sql.Identifier(schema, table).as_string(connection)
    return dict(connection.execute(_COLUMNS, (name,)).fetchall())


def prepare(connection: psycopg.Connection[Any], place: Place) -> None:
    """Make the raw and the quarantine table, or add the columns that the declaration has gained.

    :raises ConfigError: a declared type has changed and stored records do not fit it.
    """
    connection.execute(
        sql.SQL("create schema if not exists {}").format(sql.Identifier(place.source.raw_schema))
    )
    existing = columns(connection, place.source.raw_schema, place.name)
    if not existing:
        _make(connection, place)
        return
    for name, kind in place.types.items():
        if name not in existing:
            add = sql.SQL("alter table {} add column {} {}")
            connection.execute(add.format(place.raw, sql.Identifier(name), sql.SQL(kind)))
        elif existing[name] != _full_name(kind):
            _retype(connection, place, name, existing[name], kind)


def index(connection: psycopg.Connection[Any], place: Place) -> None:
    """Index the raw table by load and by unit, if it is not yet: after the first load, which is then much quicker."""
    indexes = {f"{place.name}_load": ("_load_id",), f"{place.name}_unit": place.table.unit}
    if place.table.deletions:
        indexes[f"{place.name}_deleted"] = place.table.unit
    for name, names in indexes.items():
        create = sql.SQL("create index if not exists {} on {} ({}){}")
        listed = sql.SQL(", ").join(map(sql.Identifier, names))
        partial = sql.SQL(" where _deleted" if name.endswith("_deleted") else "")
        connection.execute(create.format(sql.Identifier(name), place.raw, listed, partial))


def _make(connection: psycopg.Connection[Any], place: Place) -> None:
    declared = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in place.types.items()
    )
    connection.execute(
        sql.SQL(
            "create table {} ({}, _extra jsonb, _load_id bigint not null, _loaded_at timestamptz not null, "
            "_hash bigint not null, _row bigint generated always as identity, "
            "_deleted boolean not null default false)"
        ).format(place.raw, declared)
    )
    connection.execute(
        sql.SQL(
            "create table if not exists {} (load_id bigint not null, reason text not null, column_name text, "
            "payload jsonb not null, _hash bigint not null, quarantine_id bigint generated always as identity, "
            "_key text, decision text, decided_at timestamptz, decided_by text, decision_reason text, "
            "released_load_id bigint)"
        ).format(place.quarantine)
    )
    connection.execute(sql.SQL("create index on {} (load_id)").format(place.quarantine))
    connection.execute(sql.SQL("create index on {} (_hash)").format(place.quarantine))
    connection.execute(sql.SQL("create index on {} (_key) where decision is null").format(place.quarantine))
    connection.execute(
        sql.SQL("create index on {} (released_load_id) where released_load_id is not null").format(
            place.quarantine
        )
    )


def _full_name(declared: str) -> str:
    """A declared type as ``format_type`` writes it."""
    if declared.startswith("numeric(") and "," not in declared:
        return declared.replace(")", ",0)")
    long = {"timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone"}
    return long.get(declared, declared)


def _retype(connection: psycopg.Connection[Any], place: Place, name: str, found: str, declared: str) -> None:
    alter = sql.SQL("alter table {} alter column {} type {} using {}::{}")
    kind, column = sql.SQL(declared), sql.Identifier(name)
    try:
        connection.execute(alter.format(place.raw, column, kind, column, kind))
    except psycopg.DataError:
        raise ConfigError(
            f"{place.source.source}.{place.name}.{name}: declared {declared}, but stored records are {found} "
            "and do not all fit it"
        ) from None
