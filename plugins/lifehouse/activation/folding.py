"""Fold: what settled batches made of it becomes what their platform is known to hold. One statement for many batches.

Settling marks a batch; whoever reads ``activation.records`` folds first. What is not folded counts as in flight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg

from lifehouse.activation.declaration import Sync
from lifehouse.activation.sql import statement
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.warehouse.connection import Warehouse

#: Of a session that plans: its temporary tables stay in memory that long.
ROOM = "set temp_buffers = '128MB'"


def fold(
    connection: psycopg.Connection[Any],
    sync: Sync,
    transaction: Callable[[], AbstractContextManager[object]] | None = None,
) -> None:
    """Fold all of the sync that is settled.

    :param transaction: opens one on the connection; it is all that happens in it.
    """
    transaction = transaction or connection.transaction
    try:
        with transaction():
            _fold(connection, sync, is_sure=True)
    except psycopg.errors.UniqueViolation:  # somebody has written a record by hand
        with transaction():
            _fold(connection, sync, is_sure=False)


def _fold(connection: psycopg.Connection[Any], sync: Sync, *, is_sure: bool) -> None:
    values = {"account": sync.account_name, "sync": sync.sync, "is_sure": is_sure}
    folded = connection.execute(statement("fold"), values).fetchone()
    if folded and folded[0]:
        checkpoint(Step.FOLDING)


@contextmanager
def reading(warehouse: Warehouse, sync: Sync) -> Iterator[psycopg.Connection[Any]]:
    """One snapshot, in which the sync's records are up to date. Commits at the end."""
    with warehouse.connect() as connection:
        with connection.transaction():
            connection.execute(ROOM)
        fold(connection, sync)
        connection.execute("set transaction isolation level repeatable read")
        yield connection
