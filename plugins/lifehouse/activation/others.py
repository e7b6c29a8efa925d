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


@dataclass(frozen=True)
class Snapshot:
    """Transactions before ``end`` have ended, but for those that are ``open``."""

    end: int
    open: frozenset[int]

    @classmethod
    def of(cls, connection: psycopg.Connection[Any]) -> Snapshot:
        row = connection.execute("select pg_current_snapshot()::text").fetchone()
        _, end, still_open = row[0].split(":") if row else ("", "0", "")
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
    def without(self, connection: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of our own, which changes nobody's permission."""
        with connection.transaction():
            self._is_own(connection)
            yield connection

    def planned(self, connection: psycopg.Connection[Any]) -> None:
        """A plan is made in the snapshot of this transaction, which is our own."""
        self._is_own(connection)
        self._planned = Snapshot.of(connection)

    def have_written(self, connection: psycopg.Connection[Any]) -> bool:
        """Anything at all since the plan, seen from this transaction."""
        now = Snapshot.of(connection)
        before = self._planned
        if before is None or now.end - before.end > _MANY:
            return True
        return not self._own.issuperset(now.ended_since(before))

    def _is_own(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute("select pg_current_xact_id()::text").fetchone()
        self._own.add(int(row[0]) if row else 0)
