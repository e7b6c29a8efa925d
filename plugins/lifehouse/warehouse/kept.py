"""One connection that a block's short statements share, each in a transaction of its own.

It belongs to the thread and the process that opened it: what works beside them has connections of its own.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

Connect = Callable[[], psycopg.Connection[Any]]
#: Longer unused, a connection is made anew: what lies between may have forgotten it without a word.
_FORGOTTEN_AFTER = 60.0  # seconds
_of_this_thread = threading.local()


@dataclass
class _Kept:
    """A connection, made when it is first asked for, and again where the server has ended it."""

    connect: Connect
    process: int
    connection: psycopg.Connection[Any] | None = None
    used: float = 0.0

    def alive(self) -> psycopg.Connection[Any]:
        if self.connection is not None and not self._is_alive(self.connection):
            self.close()
        if self.connection is None:
            self.connection = self.connect()
        self.used = time.monotonic()
        return self.connection

    def _is_alive(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether it was used of late, and the server has said nothing since: unasked it says no more than farewell."""
        if connection.closed or time.monotonic() - self.used > _FORGOTTEN_AFTER:
            return False
        heard = select.poll()
        heard.register(connection.fileno(), select.POLLIN)
        return not heard.poll(0)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


@contextmanager
def keeping(whose: Hashable, connect: Connect) -> Iterator[None]:
    """Keep a connection for ``whose`` within the block; within another such block its connection is used on.

    :param connect: makes one in autocommit.
    """
    if connection(whose) is not None:
        yield
        return
    kept = _kept()
    kept[whose] = _Kept(connect, os.getpid())
    try:
        yield
    finally:
        mine = kept.pop(whose)
        if mine.process == os.getpid():  # a fork shares the socket with the process that goes on speaking
            mine.close()


def connection(whose: Hashable) -> psycopg.Connection[Any] | None:
    """What is kept for ``whose`` in this thread, alive; None where nothing is.

    :raises WarehouseError: it was lost, and the warehouse cannot be reached.
    """
    mine = _kept().get(whose)
    return mine.alive() if mine is not None and mine.process == os.getpid() else None


def _kept() -> dict[Hashable, _Kept]:
    return vars(_of_this_thread).setdefault("kept", {})
