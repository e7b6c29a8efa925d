"""Fold: what settled batches made of it becomes what their platform is known to hold. One statement for many batches.

Settling marks a batch; whoever reads ``activation.records`` folds first. What is not folded counts as in flight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from lifehouse.activation.declaration import Sync
from lifehouse.activation.sql import statement
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.warehouse.connection import Warehouse

#: Of a session that plans: its temporary tables stay in memory that long.
ROOM = "set temp_buffers = '128MB'"


def fold(connection: psycopg.Connection[Any], sync: Sync) -> None:
    """Fold all of the sync that is settled. Whoever does so in one snapshot with something else may find it taken."""
    folded = connection.execute(statement("fold"), {"account": sync.account_name, "sync": sync.sync})
    if (folded.fetchone() or (0,))[0]:
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
