"""Looks at a database: its tables, keys, types and the columns by which they can be read incrementally."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy
from sqlalchemy import types as sql
from sqlalchemy.engine.interfaces import ReflectedColumn

from lifehouse.errors import SourceError
from lifehouse.ingest.extract_sql import url_of
from lifehouse.redaction import described
from lifehouse.scaffold import roles
from lifehouse.scaffold.sketch import Column, Found, Table, snake

#: SQLAlchemy type -> ours; the first that fits. Naive times are declared timestamptz: ingest reads them in the source's zone.
_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sql.Boolean, "boolean"),
    (sql.Integer, "bigint"),
    (sql.Float, "double precision"),
    (sql.Numeric, "numeric"),
    (sql.DateTime, "timestamptz"),
    (sql.Date, "date"),
    (sql.JSON, "jsonb"),
)


def look(url: str, schema: str | None = None) -> Found:
    """The tables of the database that have a primary key; those without are left out with a note.

    :raises SourceError: the database cannot be reached or has no tables.
    """
    try:
        engine = sqlalchemy.create_engine(url_of("init", url))
        inspector = sqlalchemy.inspect(engine)
        names = inspector.get_table_names(schema=schema)
        found = tuple(_table(inspector, name, schema) for name in names)
        place = schema or inspector.default_schema_name or ""
        engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise SourceError(f"the database cannot be read: {described(error)}") from None
    if not found:
        raise SourceError(f"the database has no tables in schema {place!r}; name another one with --schema")
    return Found("sql", place, found)


def _table(inspector: Any, name: str, schema: str | None) -> Table:
    columns = tuple(map(_column, inspector.get_columns(name, schema=schema)))
    key = tuple(
        snake(column) for column in inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]
    )
    table = Table(name=snake(name), original=name, columns=columns, key=key)
    table = replace(table, cursor=roles.cursor(table))
    if not key:
        return table.noted(
            "no primary key: left out; give it one, or declare the columns that identify a row as `key`"
        )
    return (
        table
        if table.cursor
        else table.noted("no column tells when a row last changed: read whole every night")
    )


def _column(reflected: ReflectedColumn) -> Column:
    kind = reflected["type"]
    found = next((ours for theirs, ours in _TYPES if isinstance(kind, theirs)), "text")
    if found == "numeric" and getattr(kind, "precision", None) and kind.scale is not None:  # type: ignore[attr-defined]
        found = f"numeric({kind.precision},{kind.scale})"  # type: ignore[attr-defined]
    return Column(
        name=snake(reflected["name"]),
        header=reflected["name"],
        type=found,
        complete=not reflected["nullable"],
    )
