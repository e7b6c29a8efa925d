"""Whether anybody else has written since a plan was made. If nobody has, nobody may be sent less than when it was made.

Whatever permission reads, by whatever hand it is changed, takes a transaction that writes; the server numbers all of them. What
lies between two snapshots is ours alone, or it is looked at once more. Writing that has nothing to do with permission counts
as well: that costs time, never a row that goes out though it may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

#: More transactions than that are not gone through one by one.
_MANY = 10_000
_WHICH = "select pg_current_xact_id()::text, pg_current_snapshot()::text"


@dataclass(frozen=True)
class Snapshot:
    """Transactions before ``end`` have ended, but for those that are ``open``."""

    end: int
    open: frozenset[int]

    @classmethod
    def read(cls, told: str) -> Snapshot:
        """What the server tells of one: ``begin:end:open,open``."""
        _, end, still_open = told.split(":")
        return cls(int(end), frozenset(map(int, filter(None, still_open.split(",")))))

    def ended_since(self, before: Snapshot) -> Iterator[int]:
        """What has ended between the two."""
        yield from (each for each in before.open if each < self.end and each not in self.open)
        yield from (each for each in range(before.end, self.end) if each not in self.open)


@dataclass
class Others:
    """Everybody but this sync. Asked by one sender at a time."""

    _own: set[int] = field(default_factory=set)
    _planned: Snapshot | None = None

    @contextmanager
    def without(self, connection: psycopg.Connection[Any]) -> Iterator[Snapshot]:
        """A transaction of our own, which changes nobody's permission; what it sees at its beginning."""
        with connection.transaction():
            yield self._noted(connection)

    def planned(self, connection: psycopg.Connection[Any]) -> None:
        """A plan is made in the snapshot of this transaction, which is our own."""
        self._planned = self._noted(connection)

    def have_written(self, now: Snapshot) -> bool:
        """Anything at all since the plan."""
        before = self._planned
        if before is None or now.end - before.end > _MANY:
            return True
        return not self._own.issuperset(now.ended_since(before))

    def _noted(self, connection: psycopg.Connection[Any]) -> Snapshot:
        """Note the transaction as our own; its snapshot."""
        number, snapshot = connection.execute(_WHICH).fetchone() or ("0", "0:0:")
        self._own.add(int(number))
        return Snapshot.read(snapshot)
