"""Extract from a database: SQLAlchemy reads in chunks to Arrow, dlt lands them. Types travel as they are."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import types

from lifehouse import transport
from lifehouse.errors import ConfigError, SourceError
from lifehouse.ingest import cursor
from lifehouse.ingest.connections import resolved
from lifehouse.ingest.declaration import SqlSource
from lifehouse.ingest.delivery import Delivery, SchemaChange
from lifehouse.ingest.table import SqlTable
from lifehouse.ingest.tombstones import is_listed_apart, keys_table

#: What dlt's CSV files do not carry in a column's name.
_NOT_CARRIED = re.compile(r"[\"'\\,\x00-\x1f]")
_MAX_PRECISION = 38  # of a decimal that Arrow carries


def engine_of(source: SqlSource) -> sa.Engine:
    """An engine on the source, reading in the source's time zone.

    :raises SourceError: it cannot be reached.
    """
    url = url_of(source.source, resolved(source.source, source.connection).url)
    options: dict[str, Any] = {"poolclass": sa.NullPool}
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {"options": "-c timezone=UTC", "connect_timeout": 10}
    try:
        engine = sa.create_engine(url, **options)
        with engine.connect():
            return engine
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        place = f"{url.host}:{url.port}/{url.database}" if url.host else str(url.database)
        kind = type(getattr(error, "orig", None) or error).__name__
        raise SourceError(
            f"source {source.source}: the database at {place} cannot be reached ({kind})"
        ) from None


def url_of(source: str, address: str) -> sa.URL:
    """A database's address for SQLAlchemy; Postgres off this machine is asked for TLS.

    :raises ConfigError: it cannot be read; the message does not quote it.
    """
    try:
        url = sa.make_url(address.replace("postgres://", "postgresql://", 1))
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError(
            f"source {source}: the database's address cannot be read; it looks like postgresql://user:password@host:5432/name"
        ) from None
    if url.drivername in ("postgresql", "postgresql+psycopg", "postgresql+psycopg2"):
        driver = url.drivername if "+" in url.drivername else "postgresql+psycopg"
        url = sa.make_url(transport.postgres(url.render_as_string(hide_password=False))).set(
            drivername=driver
        )
    return url


def resources(source: SqlSource, bounds: dict[str, Any]) -> tuple[list[Any], dict[str, Delivery]]:
    """One dlt resource a table, from its bound on, and the deliveries they fill.

    :raises SourceError: the database is down, a table is not there, or a table's cursor column is not.
    """
    engine = engine_of(source)
    made, deliveries = [], {}
    for name, table in source.tables.items():
        delivery = deliveries[name] = Delivery(name, cursor_from=cursor.text(bounds.get(name)))
        reflected = _reflect(engine, source, name, table)
        _compare(reflected, table, delivery)
        made.append(_resource(engine, source, name, reflected, bounds.get(name)))
        if is_listed_apart(table):
            made.append(_keys(engine, source, name, _reflect(engine, source, name, table)))
    return made, deliveries


def _reflect(engine: sa.Engine, source: SqlSource, name: str, table: SqlTable) -> sa.Table:
    at_source = table.table or name
    try:
        metadata = sa.MetaData(schema=source.connection.schema_)
        found = sa.Table(at_source, metadata, autoload_with=engine, resolve_fks=False)
    except sa.exc.NoSuchTableError:
        raise SourceError(f"{source.source}.{name}: the source has no table {at_source}") from None
    if strange := [column.name for column in found.c if _NOT_CARRIED.search(column.name)]:
        raise SourceError(
            f"{source.source}.{name}: {len(strange)} column names at the source hold a quotation mark, a backslash, a comma "
            "or a control character; read a view that names them otherwise"
        )
    if table.cursor and _at_source(table, table.cursor) not in found.c:
        raise SourceError(
            f"{source.source}.{name}.{table.cursor}: the cursor column is missing at the source"
        )
    return found


def _at_source(table: SqlTable, column: str) -> str:
    return table.columns[column].from_ or column


def _compare(found: sa.Table, table: SqlTable, delivery: Delivery) -> None:
    """Note columns that are missing or not declared, and the types of all."""
    known = {_at_source(table, name): name for name in table.columns}
    for at_source, name in known.items():
        if at_source not in found.c:
            delivery.note(SchemaChange(name, "missing", table.columns[name].type))
    for column in found.c:
        kind = _type_of(column.type)
        delivery.types[known.get(column.name, column.name)] = kind
        if column.name not in known:
            delivery.note(SchemaChange(column.name, "added", None, kind))


def _type_of(kind: Any) -> str:
    """The type's name, in small letters; SQLAlchemy's leaves out whether a time has a zone."""
    if isinstance(kind, types.DateTime):
        return "timestamptz" if getattr(kind, "timezone", False) else "timestamp"
    return str(kind).lower()


def family(kind: Any) -> str:
    """What sort of values a column of this SQLAlchemy type holds."""
    families = (
        (types.Boolean, "boolean"),
        (types.Integer, "integer"),
        (types.Float, "float"),
        (types.Numeric, "numeric"),
        (types.DateTime, "time"),
        (types.Date, "date"),
        (types.JSON, "json"),
        (types.String, "text"),
    )
    return next((word for sort, word in families if isinstance(kind, sort)), "other")


def _travels_exactly(kind: Any) -> bool:
    sort = family(kind)
    if sort == "numeric":
        return 0 < (kind.precision or 0) <= _MAX_PRECISION
    return sort not in ("json", "other")


def _selected(found: sa.Table, cursor_column: str | None, start: Any, zone: str) -> Any:
    """All rows from ``start`` on (a null cursor is always read); what Arrow cannot carry exactly travels as text."""
    query = _exact(found, [column.name for column in found.c])
    if cursor_column and start is not None:
        start = _as_the_source_says(start, found.c[cursor_column].type, zone)
        query = query.where(sa.or_(found.c[cursor_column] >= start, found.c[cursor_column].is_(None)))
    return query


def _exact(found: sa.Table, names: list[str]) -> Any:
    return sa.select(
        *(
            found.c[name]
            if _travels_exactly(found.c[name].type)
            else sa.cast(found.c[name], sa.Text).label(name)
            for name in names
        )
    )


def _as_the_source_says(start: Any, kind: Any, zone: str) -> Any:
    """An instant as a naive time of the source's zone, if that is what its column holds."""
    if isinstance(start, datetime) and start.tzinfo and not getattr(kind, "timezone", False):
        return start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return start


def _resource(engine: sa.Engine, source: SqlSource, name: str, found: sa.Table, start: Any) -> Any:
    from dlt.sources.sql_database import sql_table  # noqa: PLC0415

    table = source.tables[name]
    cursor_column = _at_source(table, table.cursor) if table.cursor else None
    resource = sql_table(
        credentials=engine,
        table=found.name,
        metadata=found.metadata,
        chunk_size=source.connection.chunk_rows,
        backend="pyarrow",
        reflection_level="full_with_precision",
        type_adapter_callback=lambda kind: kind if _travels_exactly(kind) else sa.Text(),
        query_adapter_callback=lambda query, table: _selected(table, cursor_column, start, source.time_zone),
    )
    resource.apply_hints(table_name=name, primary_key=(), columns=_nullable(found))
    return resource


def _keys(engine: sa.Engine, source: SqlSource, name: str, found: sa.Table) -> Any:
    """The full list of a table's keys, from the source's own index if it has one."""
    from dlt.sources.sql_database import sql_table  # noqa: PLC0415

    table = source.tables[name]
    columns = [_at_source(table, column) for column in table.key]
    if missing := [column for column in columns if column not in found.c]:
        raise SourceError(f"{source.source}.{name}.{missing[0]}: the key column is missing at the source")
    resource = sql_table(
        credentials=engine,
        table=found.name,
        metadata=found.metadata,
        chunk_size=source.connection.chunk_rows,
        backend="pyarrow",
        reflection_level="full_with_precision",
        included_columns=columns,
        type_adapter_callback=lambda kind: kind if _travels_exactly(kind) else sa.Text(),
        query_adapter_callback=lambda _, table: _exact(table, columns),
    )
    resource.apply_hints(table_name=keys_table(name), primary_key=(), columns=_nullable(found, columns))
    return resource.with_name(keys_table(name))


def _nullable(found: sa.Table, columns: list[str] | None = None) -> Any:
    """Landing takes whatever comes; what must not be null is the declaration's business."""
    names = columns or [column.name for column in found.c]
    return {name: {"name": name, "nullable": True} for name in names}
