"""One sender per platform account, across processes: who holds the lock may claim and settle, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.activation import folding
from lifehouse.activation.durations import words
from lifehouse.activation.others import Others, Snapshot
from lifehouse.errors import SyncRefused
from lifehouse.warehouse.connection import Warehouse

PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Sender:
    """The session that holds an account's lock. It ends with the process, and the lock with it."""

    connection: psycopg.Connection[Any]
    account: str
    name: str  # <pid>@<start>: what it claims is orphaned once no such session is left
    others: Others = field(default_factory=Others)

    @contextmanager
    def writing(self) -> Iterator[Snapshot]:
        """A transaction of the sync's own; what it sees at its beginning."""
        with self.others.without(self.connection) as seen:
            yield seen


@contextmanager
def sender(warehouse: Warehouse, account: str, patience: timedelta = PATIENCE) -> Iterator[Sender]:
    """Wait for the account's lock and hold it.

    The connection is in autocommit, so that no transaction is open while the platform is spoken to.

    :raises SyncRefused: another sync has held it longer than ``patience``.
    """
    with warehouse.connect(autocommit=True) as connection:
        milliseconds = round(patience.total_seconds() * 1000)
        connection.execute(sql.SQL("set lock_timeout = {}").format(sql.Literal(milliseconds)))
        try:
            connection.execute(
                "select pg_advisory_lock(hashtextextended('lifehouse activation ' || %s, 0))", (account,)
            )
        except psycopg.errors.LockNotAvailable:
            raise SyncRefused(
                f"another sync has been sending to account {account!r} for {words(patience)}; nothing was sent"
            ) from None
        connection.execute("set lock_timeout = 0")
        connection.execute(folding.ROOM)
        row = connection.execute(
            "select name from control.session_names() as sessions (name) where name like pg_backend_pid() || '@%'"
        ).fetchone()
        yield Sender(connection, account, row[0] if row else "")
