"""Ingest one source: land what is new by dlt, record it as an open load. The raw gate judges it afterwards."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import psycopg

from lifehouse.context import Context
from lifehouse.errors import GateClosed, SourceError
from lifehouse.ingest import cursor, landing, lock
from lifehouse.ingest.declaration import FilesSource, RestSource, Source, SqlSource, find_source
from lifehouse.ingest.delivery import Delivery
from lifehouse.ingest.record import TableCounts, record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IngestResult:
    """``load_id`` is None when nothing new came; then nothing was stored either."""

    load_id: int | None
    tables: dict[str, TableCounts] = field(default_factory=dict)


def ingest(ctx: Context, source_name: str) -> IngestResult:
    """Extract what is new at the source and record it as one open load.

    Killed at any instant, it leaves nothing half visible, and the next call reads the same again. A load that a
    killed process left open is judged first.

    :raises ConfigError: no such source, its declaration is wrong, or an environment variable is not set.
    :raises SourceError: the source is down, refuses, or is not what was declared.
    """
    source = find_source(ctx.project, source_name)
    with lock.held(ctx, source.source):
        _judge_what_was_left(ctx, source)
        landing.configure(ctx)
        landing.clear(ctx, source)
        try:
            resources, deliveries = _extract(ctx, source)
            if not resources:
                return IngestResult(None, {name: TableCounts() for name in source.tables})
            landing.land(ctx, source, resources)
            load_id, counts = record(ctx, source, deliveries)
            return IngestResult(load_id, counts)
        except psycopg.DataError as error:  # its message may quote a value
            raise SourceError(f"source {source.source}: recording failed ({type(error).__name__})") from None
        finally:
            landing.clear(ctx, source)


def _extract(ctx: Context, source: Source) -> tuple[list[Any], dict[str, Delivery]]:
    if isinstance(source, FilesSource):
        from lifehouse.ingest import extract_files  # noqa: PLC0415

        return extract_files.resources(ctx, source)
    with ctx.warehouse.connect() as connection:
        bounds = {name: cursor.bound(connection, source, name) for name in source.tables}
    if isinstance(source, RestSource):
        from lifehouse.ingest import extract_rest  # noqa: PLC0415

        return extract_rest.resources(source, bounds)
    if isinstance(source, SqlSource):
        from lifehouse.ingest import extract_sql  # noqa: PLC0415

        return extract_sql.resources(source, bounds)
    raise TypeError(source.kind)


def _judge_what_was_left(ctx: Context, source: Source) -> None:
    """Decide on loads that nobody judged, oldest first, before anything is compared with them."""
    query = "select load_id from control.loads where source = %s and status = 'open' order by load_id"
    for row in ctx.warehouse.rows(query, (source.source,)):
        from lifehouse.ingest import gate  # noqa: PLC0415  Great Expectations takes seconds to import

        try:
            gate.decide(ctx, source, row["load_id"])
        except GateClosed as closed:
            log.warning("%s", closed)
