"""Numbers to and from Postgres in its binary COPY format: millions of pairs without an object for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
#: Two columns of the type integer; each value has its length before it.
_PAIR = np.dtype(
    [("columns", ">i2"), ("size_0", ">i4"), ("value_0", ">i4"), ("size_1", ">i4"), ("value_1", ">i4")]
)
_ROWS = 100_000  # at a time


def read_pairs(connection: psycopg.Connection[Any], query: str) -> Iterator[npt.NDArray[np.int32]]:
    """The rows of a query of two integer columns without nulls, in parts of shape (some 100,000, 2)."""
    come, skipped = bytearray(), len(_HEADER)
    with connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode()) as copy:
        for chunk in copy:
            come += chunk
            if len(come) >= _ROWS * _PAIR.itemsize:
                whole = (len(come) - skipped) // _PAIR.itemsize * _PAIR.itemsize + skipped
                yield _pairs(come[skipped:whole])
                del come[:whole]
                skipped = 0
    yield _pairs(come[skipped : -len(_END)])


def write_numbered(connection: psycopg.Connection[Any], table: str, values: npt.NDArray[np.int32]) -> None:
    """Append each value with its place, from 0 on, to a table of two integer columns (place, value)."""
    with connection.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as copy:
        copy.write(_HEADER)
        for start in range(0, len(values), _ROWS):
            part = values[start : start + _ROWS]
            rows = np.empty(len(part), dtype=_PAIR)
            rows["columns"], rows["size_0"], rows["size_1"] = 2, 4, 4
            rows["value_0"], rows["value_1"] = np.arange(start, start + len(part)), part
            copy.write(rows.tobytes())
        copy.write(_END)


def _pairs(told: bytearray) -> npt.NDArray[np.int32]:
    rows = np.frombuffer(bytes(told), dtype=_PAIR)
    return np.stack([rows["value_0"], rows["value_1"]], axis=1).astype(np.int32)
