"""One ingest or judgement of a source at a time, across processes: a session's advisory lock in the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from lifehouse.context import Context
from lifehouse.errors import SourceError

_WAIT = "10min"


@contextmanager
def held(ctx: Context, source: str) -> Iterator[None]:
    """Hold the source's lock; a killed process lets go of it as its connection ends.

    :raises SourceError: another process has held it for ten minutes.
    """
    with ctx.warehouse.connect(autocommit=True) as connection:
        connection.execute("select set_config('lock_timeout', %s, false)", (_WAIT,))
        try:
            connection.execute("select pg_advisory_lock(hashtextextended(%s, 740501))", (f"source {source}",))
        except psycopg.errors.LockNotAvailable:
            raise SourceError(f"source {source}: another process has been loading it for {_WAIT}") from None
        yield
