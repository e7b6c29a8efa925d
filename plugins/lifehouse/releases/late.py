"""Which sources are missing or late when a run begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from croniter import croniter
from psycopg.rows import dict_row

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.ingest.declaration import Source, load_source

#: After a tick, before it can have been missed; at most a quarter of the rhythm.
_GRACE = timedelta(minutes=10)

# What each source last gave, and when it last answered that it has nothing new.
_NEWEST = """
    with decided as (
        select source, status, opened_at, load_id, decided_by,
            row_number() over (partition by source order by load_id desc) as age
        from control.loads
        where status <> 'open' and kind = 'delivery'
    ),

    loads as (
        select source,
            max(opened_at) filter (where status = 'accepted') as delivered_at,
            max(load_id) filter (where age = 1 and status = 'rejected') as rejected_load,
            max(opened_at) filter (where age = 1 and status = 'rejected') as rejected_at,
            max(decided_by) filter (where age = 1 and status = 'rejected') as rejected_by
        from decided
        group by source
    ),

    quiet as (
        select subject as source, max(started_at) as quiet_at
        from control.stations
        where station = 'ingest' and status = 'done' and load_id is null
        group by subject
    )

    select loads.*, quiet.quiet_at
    from loads
    left join quiet using (source)
"""


@dataclass(frozen=True)
class Late:
    """A source that did not deliver in time. ``since`` is the tick it missed, or when what it gave was refused."""

    source: str
    why: str  # rejected, missed, never
    since: datetime | None
    delivered_at: datetime | None
    load_id: int | None = None
    decided_by: str | None = None

    @property
    def sentence(self) -> str:
        if self.why == "never":
            return f"source {self.source} has never delivered"
        last = (
            f"; its last accepted delivery came {self.delivered_at:%Y-%m-%d %H:%M} UTC"
            if self.delivered_at
            else ""
        )
        since = f"{self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        if self.why == "rejected":
            by = f" by {self.decided_by}" if self.decided_by else ""
            return f"source {self.source}: load {self.load_id} of {since} was rejected{by}{last}"
        return f"source {self.source} did not come, due {since}{last}"

    def content(self) -> dict[str, Any]:
        """As JSON, for ``control.runs``."""
        times = {"since": self.since, "delivered_at": self.delivered_at}
        return {
            **vars(self),
            **{name: at.isoformat() if at else None for name, at in times.items()},
            "sentence": self.sentence,
        }


def late_sources(
    ctx: Context, connection: psycopg.Connection[Any], as_of: datetime | None = None
) -> list[str]:
    """The names of the sources that :func:`judge` finds late."""
    return [late.source for late in judge(ctx, connection, as_of)]


def judge(ctx: Context, connection: psycopg.Connection[Any], as_of: datetime | None = None) -> list[Late]:
    """The declared sources that did not deliver in time, sorted by name.

    Late is one whose last load was rejected, or that was not heard of since the newest tick of its ``schedule``
    that it can have missed by now, and for longer than its rhythm (the time between two ticks). A source is heard of
    by an accepted load; one that is asked (not: whose files are awaited) also by saying that nothing is new.

    :param as_of: of a run; one about the past asks only whether the source was late then.
    :raises LifehouseError: a required source has no accepted load, or no source has.
    """
    cursor = connection.cursor(row_factory=dict_row)
    known = {row["source"]: row for row in cursor.execute(_NEWEST).fetchall()}
    accepted = {source for source, row in known.items() if row["delivered_at"]}
    missing = [source for source in ctx.project.company.required_sources if source not in accepted]
    if missing or not accepted:
        who = (
            f"required source without an accepted load: {', '.join(missing)}"
            if missing
            else "no load is accepted"
        )
        raise LifehouseError(f"no run can begin ({who}); ingest first, or look at `lifehouse loads`")
    now = datetime.now(UTC)
    moment = min(now, as_of) if as_of else now
    declared = sorted((load_source(path) for path in ctx.project.source_files), key=lambda each: each.source)
    found = (_judge(source, known.get(source.source), moment) for source in declared)
    return [late for late in found if late]


def _judge(source: Source, row: dict[str, Any] | None, moment: datetime) -> Late | None:
    delivered = row["delivered_at"] if row else None
    if row and row["rejected_load"]:
        return Late(
            source.source, "rejected", row["rejected_at"], delivered, row["rejected_load"], row["rejected_by"]
        )
    if row is None or delivered is None:
        return Late(source.source, "never", None, None)
    heard = delivered
    if source.kind != "files" and row["quiet_at"]:
        heard = max(heard, row["quiet_at"])
    pace = rhythm(source.schedule, source.time_zone, moment)
    due = last_tick(source.schedule, source.time_zone, moment - (source.deadline or min(_GRACE, pace / 4)))
    if heard >= due or moment - heard <= pace:
        return None
    return Late(source.source, "missed", due, delivered)


def last_tick(schedule: str, time_zone: str, moment: datetime) -> datetime:
    """The newest tick of a cron ``schedule`` at or before ``moment``, in UTC."""
    ticks = croniter(schedule, (moment + timedelta(seconds=1)).astimezone(ZoneInfo(time_zone)))
    tick: datetime = ticks.get_prev(datetime)
    return tick.astimezone(UTC)


def rhythm(schedule: str, time_zone: str, now: datetime) -> timedelta:
    """The time between the last two ticks of a cron ``schedule`` before ``now``."""
    ticks = croniter(schedule, now.astimezone(ZoneInfo(time_zone)))
    last: datetime = ticks.get_prev(datetime)
    before: datetime = ticks.get_prev(datetime)
    return last - before
