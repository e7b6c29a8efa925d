"""Which sources are missing or late when a run begins, and which of them hold its release back."""

from __future__ import annotations

import os
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
from lifehouse.releases import silent

#: The rule of the release gate that alone holds a release back instead of stopping its run.
IN_TIME = "required sources in time"
#: After a tick, before it can have been missed; at most a quarter of the rhythm.
_GRACE = timedelta(minutes=10)
#: The part of the rhythm by which a delivery may come before its tick.
_EARLY = 8

# What each source last gave, when it last answered that it has nothing new, and what people decided about it: which
# delivery they rejected, whether the served release still shows a load that they rejected, which tick they let pass.
_NEWEST = """
    with decided as (
        select source, status, opened_at, load_id, decided_by,
            decided_by is distinct from 'raw gate' as is_by_person,
            row_number() over (partition by source order by load_id desc) as age
        from control.loads
        where status <> 'open' and kind = 'delivery'
    ),

    loads as (
        select source,
            max(opened_at) filter (where status = 'accepted') as delivered_at,
            max(load_id) filter (where age = 1 and status = 'rejected') as rejected_load,
            max(opened_at) filter (where age = 1 and status = 'rejected') as rejected_at,
            max(decided_by) filter (where age = 1 and status = 'rejected') as rejected_by,
            max(opened_at) filter (where status = 'rejected' and is_by_person) as taken_back_at
        from decided
        group by source
    ),

    served as (
        select runs.loads
        from control.published
        inner join control.releases using (release_id)
        inner join control.runs using (run_id)
    ),

    undone as (
        select distinct loads.source
        from served
        inner join control.loads as loads on loads.load_id = any(served.loads)
        where loads.status = 'rejected' and loads.decided_by is distinct from 'raw gate'
    ),

    let_pass as (
        select late.value ->> 'source' as source, max((late.value ->> 'due')::timestamptz) as passed_due
        from control.releases as releases
        inner join control.runs as runs using (run_id)
        cross join jsonb_array_elements(runs.late_details) as late
        where releases.published_by is not null and releases.withdrawn_at is null
            and (late.value ->> 'holds')::boolean
        group by 1
    ),

    quiet as (
        select subject as source, max(started_at) as quiet_at
        from control.stations
        where station = 'ingest' and status = 'done' and load_id is null
        group by subject
    )

    select loads.*, quiet.quiet_at, undone.source is not null as is_undone, let_pass.passed_due
    from loads
    left join quiet using (source)
    left join undone using (source)
    left join let_pass using (source)
"""


@dataclass(frozen=True)
class Late:
    """A source that did not deliver in time.

    ``since`` is the tick it missed, or when what it gave was refused; ``due`` the newest tick that it can have
    missed. ``holds``: it is required and nobody decided otherwise, so its release waits for it.
    """

    source: str
    why: str  # rejected, missed, never, silent
    since: datetime | None
    delivered_at: datetime | None
    load_id: int | None = None
    decided_by: str | None = None
    due: datetime | None = None
    holds: bool = False
    told: str = ""

    @property
    def sentence(self) -> str:
        if self.told:
            return self.told
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
        times = {"since": self.since, "delivered_at": self.delivered_at, "due": self.due}
        return {
            **vars(self),
            **{name: at.isoformat() if at else None for name, at in times.items()},
            "sentence": self.sentence,
        }


def judge(ctx: Context, connection: psycopg.Connection[Any], as_of: datetime | None = None) -> list[Late]:
    """The declared sources that did not deliver in time, sorted by name.

    Late is one whose last load was rejected, or that was not heard of for the newest tick of its ``schedule`` that it
    can have missed by now: since that tick, or at most an eighth of its rhythm (the time between two ticks) before.
    A source is heard of by an accepted load; one that is asked (not: whose files are awaited) also by saying that
    nothing is new. A required source that was not heard of holds the release back, unless a person decided otherwise:
    by rejecting what came for that tick, or a load that is still served (this run undoes it), or by publishing a run
    that was held back for that tick. While the clocks are off there is no tick to miss. Silent is one that came, with
    nothing, on days on which it surely has records (``releases.silent``); it is treated alike.

    :param as_of: of a run; one about the past asks only whether the source was late then.
    :raises LifehouseError: a required source has no accepted load, or no source has.
    """
    cursor = connection.cursor(row_factory=dict_row)
    known = {row["source"]: row for row in cursor.execute(_NEWEST).fetchall()}
    accepted = {source for source, row in known.items() if row["delivered_at"]}
    required = ctx.project.company.required_sources
    missing = [source for source in required if source not in accepted]
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
    promised = set(required) if os.environ.get("LIFEHOUSE_CLOCK") != "off" else set()
    found = (
        _judge(source, known.get(source.source), moment, holds=source.source in promised)
        for source in declared
    )
    late = [each for each in found if each]
    others = [source for source in declared if source.source not in {each.source for each in late}]
    answers = {name: (row["delivered_at"], row["quiet_at"]) for name, row in known.items()}
    heard = {name: max(filter(None, times)) for name, times in answers.items() if any(times)}
    late += [
        _came_with_nothing(each, known[each.source], is_required=each.source in required)
        for each in silent.judge(connection, others, heard, moment, ctx.project.company.time_zone)
    ]
    return sorted(late, key=lambda each: each.source)


def _came_with_nothing(found: silent.Silent, row: dict[str, Any], *, is_required: bool) -> Late:
    """A required source that surely has something to tell holds the release back, unless a person let the day pass, or
    rejected what is still served: then it is this run that undoes it."""
    holds = (
        is_required
        and not found.silence.has_rested
        and not row["is_undone"]
        and not (row["passed_due"] and row["passed_due"] >= found.due)
    )
    at = found.silence.newest, row["delivered_at"]
    return Late(found.source, "silent", *at, due=found.due, holds=holds, told=found.sentence)


def _judge(source: Source, row: dict[str, Any] | None, moment: datetime, *, holds: bool) -> Late | None:
    if row is None or (row["delivered_at"] is None and row["rejected_load"] is None):
        return Late(source.source, "never", None, None)
    delivered = row["delivered_at"]
    quiet = row["quiet_at"] if source.kind != "files" else None
    pace = rhythm(source.schedule, source.time_zone, moment)
    due = last_tick(source.schedule, source.time_zone, moment - (source.deadline or min(_GRACE, pace / 4)))

    def came(*times: datetime | None) -> bool:
        return any(at is not None and at >= due - pace / _EARLY for at in times)

    rejected_at = row["rejected_at"]
    is_late = not came(delivered, quiet)
    is_decided = came(row["taken_back_at"]) or row["is_undone"] or row["passed_due"] == due
    holds = holds and is_late and not is_decided
    is_refused = rejected_at is not None and not (quiet and quiet > rejected_at)
    if is_refused and (came(rejected_at) or not is_late):
        refused = row["rejected_load"], row["rejected_by"]
        return Late(source.source, "rejected", rejected_at, delivered, *refused, due, holds)
    return Late(source.source, "missed", due, delivered, due=due, holds=holds) if is_late else None


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
