"""Numbers to and from Postgres in its binary COPY format: millions of pairs without an object for each."""

from __future__ import annotations

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


def read_pairs(connection: psycopg.Connection[Any], query: str) -> npt.NDArray[np.int32]:
    """The rows of a query of two integer columns without nulls, shape (n, 2)."""
    parts, come = [np.empty((0, 2), dtype=np.int32)], bytearray()
    with connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode()) as copy:
        for chunk in copy:
            come += chunk
            if len(come) >= _ROWS * _PAIR.itemsize:
                del come[: 0 if len(parts) > 1 else len(_HEADER)]
                whole = len(come) // _PAIR.itemsize
                parts.append(_pairs(come[: whole * _PAIR.itemsize]))
                del come[: whole * _PAIR.itemsize]
    parts.append(_pairs(come[0 if len(parts) > 1 else len(_HEADER) : -len(_END)]))
    return np.concatenate(parts)


def write_pairs(connection: psycopg.Connection[Any], table: str, pairs: npt.NDArray[np.int32]) -> None:
    """Append rows to a table of two integer columns."""
    with connection.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as copy:
        copy.write(_HEADER)
        for start in range(0, len(pairs), _ROWS):
            part = pairs[start : start + _ROWS]
            rows = np.empty(len(part), dtype=_PAIR)
            rows["columns"], rows["size_0"], rows["size_1"] = 2, 4, 4
            rows["value_0"], rows["value_1"] = part[:, 0], part[:, 1]
            copy.write(rows.tobytes())
        copy.write(_END)


def _pairs(told: bytearray) -> npt.NDArray[np.int32]:
    rows = np.frombuffer(bytes(told), dtype=_PAIR)
    return np.stack([rows["value_0"], rows["value_1"]], axis=1).astype(np.int32)
