"""Records that arrive as text (JSON, CSV) as Arrow tables of one fixed shape, named as at the source.

Every declared column is text; what is not declared goes to ``_extra``; what could not be read goes to ``_malformed``.
Types are judged later, in the warehouse, by the declaration.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from lifehouse.ingest.delivery import Delivery, SchemaChange
from lifehouse.ingest.rules import landed_name
from lifehouse.ingest.table import Table

ROWS = 20_000  # a batch


def schema(table: Table) -> pa.Schema:
    """The shape of a table's batches."""
    fields = [pa.field(landed_name(name, column), pa.string()) for name, column in table.columns.items()]
    fields += [pa.field("_extra", pa.string()), pa.field("_malformed", pa.string())]
    fields += [
        pa.field(name, pa.string() if kind == "text" else pa.int64()) for name, kind in table.given.items()
    ]
    return pa.schema(fields)


def of_records(
    table: Table, records: Iterable[tuple[Any, dict[str, Any]]], delivery: Delivery
) -> Iterator[pa.Table]:
    """Batches of parsed JSON records; each comes with its given columns (``_file``, ``_line``, ``_malformed``)."""
    wanted = [landed_name(name, column) for name, column in table.columns.items()]
    owned = {path.split(".")[0] for path in wanted}
    seen: set[str] = set()
    rows: list[dict[str, Any]] = []
    shape = schema(table)
    count = 0
    for record, given in records:
        row = dict(given)
        if isinstance(record, dict):
            for path in wanted:
                found, is_there = _find(record, path)
                row[path] = text(found)
                if is_there:
                    seen.add(path)
            extra = {key: record[key] for key in record if key not in owned}
            for key, sample in extra.items():
                delivery.note(SchemaChange(key, "added", None, type(sample).__name__))
            row["_extra"] = text(extra) if extra else None
        elif "_malformed" not in row:
            row["_malformed"] = text(record) or "null"
        rows.append(row)
        count += 1
        if len(rows) >= ROWS:
            yield pa.Table.from_pylist(rows, schema=shape)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema=shape)
    for name, column in table.columns.items():
        if count and column.required and landed_name(name, column) not in seen:
            delivery.note(SchemaChange(name, "missing", column.type))


def text(value: Any) -> str | None:
    """A JSON value as text that Postgres reads back; Postgres text holds no NUL character."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd") if "\x00" in value else value
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "\\ufffd")
    return str(value)


def _find(record: dict[str, Any], path: str) -> tuple[Any, bool]:
    """The value at ``a.b.c``, and whether the place exists."""
    if path in record:
        return record[path], True
    current: Any = record
    for part in path.split("."):
        if not isinstance(current, dict) or part not in current:
            return None, False
        current = current[part]
    return current, True
