"""Read one file to Arrow batches of text: CSV, JSON lines or Parquet. A line that cannot be read is kept as it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lifehouse.errors import SourceError
from lifehouse.ingest import batches
from lifehouse.ingest.delivery import Delivery, SchemaChange
from lifehouse.ingest.rules import landed_name
from lifehouse.ingest.table import FileTable
from lifehouse.masks import shape

_BLOCK = 4 << 20  # bytes of CSV held at a time


def batches_of(place: str, table: FileTable, name: str, path: Path, delivery: Delivery) -> Iterator[pa.Table]:
    """Batches in the shape of :func:`batches.schema`, with ``_file`` and ``_line`` (the header is line 1).

    :raises SourceError: the file as a whole is not what it is declared to be.
    """
    readers = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
    try:
        yield from readers[table.format](table, name, path, delivery)
    except (pa.ArrowException, UnicodeDecodeError, EOFError) as error:
        kind = "wrong encoding" if "UTF8" in str(error) or isinstance(error, UnicodeDecodeError) else ""
        raise SourceError(
            f"{place}: the file {name} cannot be read as {table.format} ({kind or type(error).__name__})"
        ) from None


def _csv(table: FileTable, name: str, path: Path, delivery: Delivery) -> Iterator[pa.Table]:
    header = _header(table, path)
    if not header:
        yield _shaped(table, name, {"_malformed": pa.array([""])}, [1])
        return
    _compare(table, header, delivery)
    malformed: list[Any] = []

    def keep(row: Any) -> str:
        malformed.append(row)
        return "skip"

    reader = pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK, encoding=table.encoding),
        parse_options=pacsv.ParseOptions(
            delimiter=table.delimiter, newlines_in_values=True, invalid_row_handler=keep
        ),
        convert_options=pacsv.ConvertOptions(
            null_values=[""], strings_can_be_null=True, column_types=dict.fromkeys(header, pa.string())
        ),
    )
    line, told = 2, 0
    for batch in reader:
        numbers = _lines(line, batch.num_rows, {row.number for row in malformed})
        line = int(numbers[-1]) + 1 if len(numbers) else line
        yield _shaped(table, name, dict(zip(header, batch.columns, strict=True)), numbers)
        if len(malformed) > told:
            yield _set_apart(table, name, malformed[told:])
            told = len(malformed)
    if len(malformed) > told:
        yield _set_apart(table, name, malformed[told:])


def _header(table: FileTable, path: Path) -> list[str]:
    """The names in the first line; empty for an empty file.

    :raises SourceError: a name is there twice.
    """
    encoding = "utf-8-sig" if table.encoding.lower().replace("-", "") == "utf8" else table.encoding
    with fsspec.open(str(path), "rt", encoding=encoding, newline="", compression="infer") as handle:
        names = next(csv.reader(handle, delimiter=table.delimiter), [])
    if len(set(names)) < len(names):
        raise SourceError(f"the header of {path.name.split('-', 1)[1]} has a name twice")
    return names


def _set_apart(table: FileTable, name: str, rows: list[Any]) -> pa.Table:
    texts = pa.array([row.text.replace("\x00", "\ufffd") for row in rows], pa.string())
    return _shaped(table, name, {"_malformed": texts}, [row.number for row in rows])


def _lines(first: int, count: int, skipped: set[int]) -> Any:
    """Line numbers of ``count`` good rows from ``first`` on, when those of ``skipped`` are not good."""
    numbers = np.arange(first, first + count + len(skipped))
    if skipped:
        numbers = numbers[~np.isin(numbers, list(skipped))]
    return numbers[:count]


def _jsonl(table: FileTable, name: str, path: Path, delivery: Delivery) -> Iterator[pa.Table]:
    def records() -> Iterator[tuple[Any, dict[str, Any]]]:
        with fsspec.open(str(path), "rt", encoding=table.encoding, compression="infer") as handle:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                given = {"_file": name, "_line": number}
                try:
                    yield json.loads(line), given
                except ValueError:
                    yield None, {**given, "_malformed": batches.text(line.rstrip("\n"))}

    yield from batches.of_records(table, records(), delivery)


def _parquet(table: FileTable, name: str, path: Path, delivery: Delivery) -> Iterator[pa.Table]:
    reader = pq.ParquetFile(path)
    _compare(table, reader.schema_arrow.names, delivery)
    names = {landed_name(name, column): name for name, column in table.columns.items()}
    delivery.types |= {
        names.get(field.name, field.name): _type_of(field.type) for field in reader.schema_arrow
    }
    line = 1
    for batch in reader.iter_batches(batch_size=batches.ROWS):
        columns = {
            field.name: _as_text(column) for field, column in zip(batch.schema, batch.columns, strict=True)
        }
        yield _shaped(table, name, columns, range(line, line + batch.num_rows))
        line += batch.num_rows


def _type_of(kind: Any) -> str:
    """The Postgres type that says the same as a Parquet column's."""
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    names = {
        "int8": "smallint",
        "int16": "smallint",
        "int32": "integer",
        "int64": "bigint",
        "bool": "boolean",
    }
    names |= {"float": "real", "double": "double precision", "date32[day]": "date", "uint8": "smallint"}
    names |= {"uint16": "integer", "uint32": "bigint", "string": "text", "large_string": "text"}
    return names.get(str(kind), str(kind))


def _as_text(column: Any) -> Any:
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.array([batches.text(value) for value in column.to_pylist()], pa.string())
    return pc.cast(column, pa.string())


def _compare(table: FileTable, header: list[str], delivery: Delivery) -> None:
    known = {landed_name(name, column): name for name, column in table.columns.items()}
    for at_source, name in known.items():
        if at_source not in header:
            delivery.note(SchemaChange(name, "missing", table.columns[name].type))
    is_header = any(at_source in header for at_source in known)
    for at_source in header:
        if at_source not in known:  # without any known name the first line may be a person's
            name = at_source if is_header else shape(at_source)
            delivery.note(SchemaChange(name, "added", None, "text"))


def _shaped(table: FileTable, name: str, columns: dict[str, Any], lines: Any) -> pa.Table:
    """The columns as a batch of the table's shape: what is not declared goes to ``_extra``, what is not there is null."""
    shape = batches.schema(table)
    count = len(lines)
    extra = [field for field in columns if field not in shape.names]
    columns = {field: _without_nul(column) for field, column in columns.items()}
    if extra:
        rows = zip(*(columns[field].to_pylist() for field in extra), strict=True)
        texts = [
            batches.text({k: v for k, v in zip(extra, row, strict=True) if v is not None}) for row in rows
        ]
        columns["_extra"] = pa.array([None if text == "{}" else text for text in texts], pa.string())
    columns["_file"] = pa.array([name] * count, pa.string())
    columns["_line"] = pa.array(lines, pa.int64())
    return pa.table([columns.get(field.name, pa.nulls(count, field.type)) for field in shape], schema=shape)


def _without_nul(column: Any) -> Any:
    """Postgres text holds no NUL character."""
    if pa.types.is_string(column.type) and pc.any(pc.match_substring(column, "\x00")).as_py():
        return pc.replace_substring(column, "\x00", "\ufffd")
    return column
