"""Files of rows: CSV or Parquet, written as they come, with the count and the checksum that a manifest tells of them."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO, Literal, TextIO

Format = Literal["csv", "parquet"]
Kind = Literal["text", "integer", "decimal", "double", "boolean", "date", "timestamp"]
_BLOCK, _GROUP = 1 << 20, 10_000


class Unfit(ValueError):
    """A value is not of the kind that its column was declared with; the message names the column alone."""


@dataclass(frozen=True)
class Written:
    """A file: rows without the header, bytes, SHA-256 in hex."""

    name: str
    rows: int
    bytes: int
    sha256: str


class _Summed(io.RawIOBase):
    """Passes bytes on, and counts and sums them."""

    def __init__(self, raw: Any) -> None:
        self._raw, self._sum, self.size = raw, hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._raw.write(bytes(block))
        self._sum.update(block)
        self.size += len(block)
        return len(block)


def write(
    raw: Any,
    name: str,
    header: list[str],
    lines: Iterable[list[Any]],
    kind: Format,
    kinds: Mapping[str, Kind] | None = None,
) -> Written:
    """Write the lines to an open file.

    :param kinds: column → what it holds, for Parquet; text where nothing is said.
    :raises Unfit: a value is not of its column's kind.
    """
    summed = _Summed(raw)
    buffer = io.BufferedWriter(summed, _BLOCK)
    counter = itertools.count()
    counted = (line for line, _ in zip(lines, counter, strict=False))
    (_csv if kind == "csv" else _parquet)(buffer, header, counted, kinds or {})
    buffer.flush()
    return Written(name, next(counter), summed.size, summed.sha256)


def write_lines(text: TextIO, header: list[str], lines: Iterable[list[Any]]) -> None:
    """CSV (RFC 4180) with line feeds; a carriage return is quoted like them, which Python's writer leaves out."""
    plain = csv.writer(text, lineterminator="\n")
    quoting = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for line in itertools.chain([header], lines):
        is_torn = any(isinstance(value, str) and "\r" in value for value in line)
        (quoting if is_torn else plain).writerow(line)


def column(source: BinaryIO, kind: Format, name: str) -> list[str]:
    """One column of a file, as text."""
    if kind == "csv":
        return [row[name] for row in csv.DictReader(io.TextIOWrapper(source, encoding="utf-8", newline=""))]
    import pyarrow.parquet as pq  # noqa: PLC0415  slow to import

    return [str(value) for value in pq.read_table(source, columns=[name])[name].to_pylist()]


def _csv(
    buffer: io.BufferedWriter, header: list[str], lines: Iterable[list[Any]], _: Mapping[str, Kind]
) -> None:
    text = io.TextIOWrapper(buffer, encoding="utf-8", newline="")
    write_lines(text, header, ([_plain(value) for value in line] for line in lines))
    text.detach()


def _parquet(
    buffer: io.BufferedWriter, header: list[str], lines: Iterator[list[Any]], kinds: Mapping[str, Kind]
) -> None:
    import pyarrow as pa  # noqa: PLC0415  slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "decimal": pa.decimal128(38, 9),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    given = [kinds.get(name, "text") for name in header]
    schema = pa.schema([(name, types[kind]) for name, kind in zip(header, given, strict=True)])
    with pq.ParquetWriter(buffer, schema) as writer:
        while group := list(itertools.islice(lines, _GROUP)):
            columns = zip(header, given, zip(*group, strict=True), strict=True)
            arrays = []
            for name, kind, values in columns:
                try:
                    read = [None if value is None else _READ[kind](value) for value in values]
                    arrays.append(pa.array(read, types[kind]))
                except (ValueError, TypeError, KeyError, InvalidOperation, pa.ArrowException):
                    raise Unfit(f"{name} is no {kind}") from None
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _boolean(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _whole(value: Any) -> int:
    number = Decimal(str(value))
    if number != number.to_integral_value():
        raise ValueError("not whole")
    return int(number)


_READ: dict[Kind, Callable[[Any], Any]] = {
    "text": lambda value: str(_plain(value)),
    "integer": _whole,
    "decimal": lambda value: Decimal(str(value)),
    "double": float,
    "boolean": _boolean,
    "date": lambda value: date.fromisoformat(str(value)[:10]),
    "timestamp": lambda value: datetime.fromisoformat(str(value)),
}
