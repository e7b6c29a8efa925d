"""BI as it reads: several marts in one repeatable-read transaction, over and over, on many connections."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg


@dataclass
class Look:
    """One transaction: what release each mart spoke of, and seconds from its begin to its end."""

    releases: tuple[int, ...]
    seconds: float


@dataclass
class Reading:
    """Reads marts with a column ``release`` until told to stop; ``problems`` are errors and mixtures."""

    url: str
    marts: Sequence[str]
    pause: float = 0.002  # seconds between two marts
    think: float = 0.0  # seconds between two transactions
    looks: list[Look] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def until(self, stopped: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True, application_name="a reader") as connection:
            connection.prepare_threshold = None
            while not stopped.is_set():
                self.look(connection)
                stopped.wait(self.think)

    def look(self, connection: psycopg.Connection) -> None:
        """One transaction; an error is noted."""
        try:
            self._look(connection)
        except psycopg.Error as error:
            self.problems.append(repr(error))
            connection.rollback()

    def _look(self, connection: psycopg.Connection) -> None:
        began = time.monotonic()
        connection.execute("begin isolation level repeatable read read only")
        seen = []
        for mart in self.marts:
            rows = connection.execute(
                f"select release, count(*) from marts.{mart} group by release"
            ).fetchall()
            if len(rows) != 1:
                self.problems.append(f"{mart} showed {len(rows)} releases: {rows}")
            seen.extend(row[0] for row in rows)
            time.sleep(self.pause)
        connection.execute("commit")
        if len(set(seen)) != 1:
            self.problems.append(f"one transaction saw releases {seen}")
        self.looks.append(Look(tuple(seen), time.monotonic() - began - self.pause * len(self.marts)))


class Readers:
    """Many connections that read at once, while the block runs."""

    def __init__(self, url: str, marts: Sequence[str], connections: int) -> None:
        self.readings = [
            Reading(url, marts[shift:] + marts[:shift])
            for shift in (number % len(marts) for number in range(connections))
        ]
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=reading.until, args=(self._stopped,)) for reading in self.readings
        ]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def problems(self) -> list[str]:
        return [problem for reading in self.readings for problem in reading.problems]

    @property
    def looks(self) -> list[Look]:
        return [look for reading in self.readings for look in reading.looks]


class LockWatch:
    """Samples the readers' waits for locks; ``waits`` holds (what was going on, seconds) of each that was seen."""

    def __init__(self, url: str, every: float = 0.001) -> None:
        self.url, self.every, self.doing = url, every, ""
        self.waits: list[tuple[str, float]] = []
        self.samples = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> LockWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(60)

    def _run(self) -> None:
        query = (
            "select extract(epoch from clock_timestamp() - locks.waitstart)::float8 from pg_locks as locks "
            "inner join pg_stat_activity as activity using (pid) "
            "where not locks.granted and activity.application_name = 'a reader' and locks.waitstart is not null"
        )
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self._stopped.is_set():
                doing = self.doing
                self.waits += [(doing, seconds) for (seconds,) in connection.execute(query).fetchall()]
                self.samples += 1
                time.sleep(self.every)
