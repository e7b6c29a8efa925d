"""Numbers to and from Postgres in its binary COPY format: millions of pairs without an object for each."""

from __future__ import annotations

import io
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


def read_pairs(connection: psycopg.Connection[Any], query: str) -> npt.NDArray[np.int32]:
    """The rows of a query of two integer columns without nulls, shape (n, 2)."""
    buffer = io.BytesIO()
    with connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode()) as copy:
        for chunk in copy:
            buffer.write(chunk)
    rows = np.frombuffer(buffer.getbuffer()[len(_HEADER) : -len(_END)], dtype=_PAIR)
    return np.stack([rows["value_0"], rows["value_1"]], axis=1).astype(np.int32)


def write_pairs(connection: psycopg.Connection[Any], table: str, pairs: npt.NDArray[np.int32]) -> None:
    """Append rows to a table of two integer columns."""
    rows = np.empty(len(pairs), dtype=_PAIR)
    rows["columns"], rows["size_0"], rows["size_1"] = 2, 4, 4
    rows["value_0"], rows["value_1"] = pairs[:, 0], pairs[:, 1]
    with connection.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as copy:
        copy.write(_HEADER)
        copy.write(rows.tobytes())
        copy.write(_END)
