"""A DuckDB file beside the warehouse: opened as its owner's alone, and tables of the warehouse copied into it exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import BuildError

Table = tuple[str, str]  # schema and name

#: DuckDB calls a database by its file's name; these are schemas in it, or its own.
_TAKEN = {
    "contract",
    "core",
    "marts",
    "postgres",
    "main",
    "temp",
    "system",
    "information_schema",
    "pg_catalog",
}
_DIGITS, _SCALE = 38, 12
_NUMBER = f"decimal({_DIGITS}, {_SCALE})"  # DuckDB's own numeric has three decimals, and rounds
_EXACT = rf"-?\d{{1,{_DIGITS - _SCALE}}}(\.\d{{0,{_SCALE}}}0*)?"
_COLUMNS = """
    select attname, format_type(atttypid, atttypmod)
    from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""


def opened(file: Path) -> Any:
    """A connection of DuckDB's to the file (made if missing), with the settings that the models ask for.

    :raises BuildError: DuckDB is not installed, the file is not one of its, or has the name of a schema.
    """
    if file.stem.lower() in _TAKEN:
        raise BuildError(f"{file}: DuckDB would take {file.stem!r} for a schema; give the file another name")
    try:
        import duckdb  # noqa: PLC0415  an extra
    except ImportError:
        raise BuildError("DuckDB is not installed; the extra `duckdb` brings it") from None
    try:
        connection = duckdb.connect(file)
    except duckdb.Error as error:
        raise BuildError(f"{file} cannot be opened as a file of DuckDB's ({type(error).__name__})") from None
    file.chmod(0o600)
    for name, value in project.DUCKDB.items():
        connection.execute(f"set {name} = '{value}'")
    return connection


def copy(ctx: Context, file: Path, tables: Mapping[Table, Table]) -> dict[Table, int]:
    """Copy tables and views of the warehouse, all as of one instant, each to its place in the file.

    What stood there is replaced. Types are Postgres', ``numeric`` is ``decimal(38, 12)``.

    :returns: rows of each.
    :raises BuildError: a value cannot be kept exactly; names table, column and count.
    """
    with opened(file) as duck, ctx.warehouse.connect() as warehouse:
        warehouse.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return {origin: _copy(warehouse, duck, origin, place) for origin, place in tables.items()}


def _copy(warehouse: psycopg.Connection[Any], duck: Any, origin: Table, place: Table) -> int:
    relation = sql.Identifier(*origin)
    columns = warehouse.execute(_COLUMNS, (relation.as_string(),)).fetchall()
    types = {name: _NUMBER if kind.startswith("numeric") else kind for name, kind in columns}
    name = ".".join(origin)
    with tempfile.TemporaryDirectory(prefix="lifehouse-") as folder:
        rows = Path(folder) / "rows.csv"
        cursor = warehouse.cursor()
        statement = sql.SQL("copy (select * from {}) to stdout (format csv)").format(relation)
        with rows.open("wb") as handle, cursor.copy(statement) as parts:
            for part in parts:
                handle.write(part)
        read = (
            f"read_csv('{rows}', columns = {dict.fromkeys(types, 'varchar')}, auto_detect = false, header = false,"
            " delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, parallel = false)"
        )
        _see_that_numbers_fit(duck, name, read, [column for column in types if types[column] == _NUMBER])
        casts = ", ".join(f'cast("{column}" as {kind}) as "{column}"' for column, kind in types.items())
        duck.execute(f'create schema if not exists "{place[0]}"')
        made = f'create or replace table "{place[0]}"."{place[1]}" as select {casts} from {read}'  # noqa: S608
        try:
            count = duck.execute(made).fetchone()[0]
        except Exception as error:  # its text quotes the value
            raise BuildError(f"{name}: DuckDB cannot read a value ({type(error).__name__})") from None
    if count != cursor.rowcount:
        raise BuildError(f"{name}: {cursor.rowcount} rows were written and {count} read")
    return int(count)


def _see_that_numbers_fit(duck: Any, name: str, read: str, columns: list[str]) -> None:
    if not columns:
        return
    counts = ", ".join(
        f"count(*) filter (not regexp_full_match(\"{column}\", '{_EXACT}'))" for column in columns
    )
    beyond = duck.execute(f"select {counts} from {read}").fetchone()  # noqa: S608
    for column, count in zip(columns, beyond, strict=True):
        if count:
            raise BuildError(f"{name}: {count} values of {column} do not fit {_NUMBER}")
