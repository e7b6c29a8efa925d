"""Which sources are missing or late when a run begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from croniter import croniter  # type: ignore[import-untyped]

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.ingest.declaration import load_source

_NEWEST = """
    with decided as (
        select source, status, opened_at, load_id = max(load_id) over (partition by source) as is_last
        from control.loads
        where status <> 'open' and kind = 'delivery'
    )
    select source, max(opened_at) filter (where status = 'accepted'), bool_or(is_last and status = 'rejected')
    from decided
    group by source
"""


def late_sources(ctx: Context, connection: psycopg.Connection[Any]) -> list[str]:
    """Names of the declared sources that did not deliver in time, sorted.

    Late is one whose newest accepted load is older than its rhythm (the time between two ticks of its
    ``schedule``), or whose last load was rejected.

    :raises LifehouseError: a required source has no accepted load, or no source has.
    """
    rows = connection.execute(_NEWEST).fetchall()
    accepted: dict[str, datetime] = {source: at for source, at, _ in rows if at is not None}
    rejected = {source for source, _, is_rejected in rows if is_rejected}
    missing = [source for source in ctx.project.company.required_sources if source not in accepted]
    if missing or not accepted:
        who = (
            f"required source without an accepted load: {', '.join(missing)}"
            if missing
            else "no load is accepted"
        )
        raise LifehouseError(f"no run can begin ({who}); ingest first, or look at `lifehouse loads`")
    now = datetime.now(UTC)
    declared = [load_source(path) for path in ctx.project.source_files]
    return sorted(
        source.source
        for source in declared
        if source.source in rejected
        or source.source not in accepted
        or now - accepted[source.source] > rhythm(source.schedule, source.time_zone, now)
    )


def rhythm(schedule: str, time_zone: str, now: datetime) -> timedelta:
    """The time between the last two ticks of a cron ``schedule`` before ``now``."""
    ticks = croniter(schedule, now.astimezone(ZoneInfo(time_zone)))
    last: datetime = ticks.get_prev(datetime)
    before: datetime = ticks.get_prev(datetime)
    return last - before
