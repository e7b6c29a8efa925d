"""Marks of a row's fields: enough to say which of them changed, too little to say what they were.

Four hex digits of a hash for the fields' names, then four for each field in the order of their names.
"""

from __future__ import annotations

import hashlib

from psycopg import sql

from lifehouse.activation.declaration import Sync

WIDTH = 4


def names(sync: Sync) -> list[str]:
    """The fields, in the order of their marks."""
    return sorted(sync.fields)


def of_names(sync: Sync) -> str:
    """What the marks begin with; other marks are of another mapping."""
    told = ",".join(names(sync))
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()[:WIDTH]


def of_fields(sync: Sync, fields: sql.Composable) -> sql.Composable:
    """The marks of a column of fields, as an expression; null for null."""
    each = [
        sql.SQL("left(md5(({} -> {})::text), {})").format(fields, sql.Literal(name), sql.Literal(WIDTH))
        for name in names(sync)
    ]
    told = sql.SQL(" || ").join([sql.Literal(of_names(sync)), *each])
    return sql.SQL("case when {} is not null then {} end").format(fields, told)


def start(position: int) -> int:
    """Where the mark of the field at that position begins, from 1, as SQL counts."""
    return 1 + WIDTH * (1 + position)
