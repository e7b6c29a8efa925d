"""Which sources were read and came with nothing, when a run begins: :mod:`lifehouse.ingest.silence`, on what is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from lifehouse.ingest import silence
from lifehouse.ingest.declaration import Source
from lifehouse.ingest.profile import REMEMBERED, clock_of
from lifehouse.ingest.raw import Place

_DAYS = """
    select loads.source, profiles.table_name, profiles.day, sum(profiles.total) as rows
    from control.load_profiles as profiles
    inner join control.loads as loads using (load_id)
    where loads.status = 'accepted' and profiles.measure = 'rows'
        and profiles.day > %(first)s and profiles.day <= %(last)s
    group by 1, 2, 3
"""

# the newest record of each load; what is dated after the as-of instant says nothing
_REACHED = """
    select loads.source, loads.load_id, profiles.table_name, to_timestamp(max(profiles.total)) as newest
    from control.load_profiles as profiles
    inner join control.loads as loads using (load_id)
    where loads.status = 'accepted' and profiles.measure = 'newest'
        and profiles.day > %(first)s and profiles.total <= extract(epoch from %(as_of)s::timestamptz)
    group by 1, 2, 3
    order by 2
"""

# runs that had the source's records, but for those in which it was silent
_RUNS = """
    select distinct on (as_of) as_of, loads,
        array(
            select late.value ->> 'source' from jsonb_array_elements(late_details) as late
            where late.value ->> 'why' = 'silent'
        ) as silent
    from control.runs
    where as_of < %(as_of)s
    order by as_of desc, run_id desc
    limit %(remembered)s
"""


@dataclass(frozen=True)
class Silent:
    """A source, the end of the last day that it should have told of, and its silence."""

    source: str
    due: datetime
    silence: silence.Silence

    @property
    def sentence(self) -> str:
        found = self.silence
        days = ", ".join(day.isoformat() for day in found.days[:7]) + (" ..." if len(found.days) > 7 else "")
        told = (
            f"source {self.source} was read and has no record of {days}; usual are {found.usual:,.0f} a day"
        )
        if found.has_rested:
            return f"{told} (it has rested before)"
        return f"{told}, its newest is of {found.newest:%Y-%m-%d %H:%M} UTC"


def judge(
    connection: psycopg.Connection[Any],
    sources: Iterable[Source],
    heard: Mapping[str, datetime],
    as_of: datetime,
    zone: str,
) -> list[Silent]:
    """The silent ones of the ``sources``, in their order.

    :param heard: when each last answered. :param as_of: what the run speaks about.
    :param zone: the company's time zone, in which days are meant.
    """
    names = {
        "as_of": as_of,
        "first": (as_of - timedelta(days=REMEMBERED)).date(),
        "last": as_of.date(),
        "remembered": REMEMBERED,
    }
    cursor = connection.cursor(row_factory=dict_row)
    rows: dict[tuple[str, str], dict[Any, float]] = defaultdict(dict)
    for row in cursor.execute(_DAYS, names).fetchall():
        rows[row["source"], row["table_name"]][row["day"]] = float(row["rows"])
    reached = cursor.execute(_REACHED, names).fetchall()
    runs = cursor.execute(_RUNS, names).fetchall()
    found = []
    for source in sources:
        clocked = {name for name in source.tables if clock_of(Place(source, name))}
        newest: dict[int, datetime] = {}
        for row in reached:
            if row["source"] == source.source and row["table_name"] in clocked:
                newest[row["load_id"]] = max(row["newest"], newest.get(row["load_id"], row["newest"]))
        if not newest or source.source not in heard:
            continue
        past = silence.Past(
            [
                (run["as_of"], max(newest[load] for load in run["loads"] if load in newest))
                for run in runs
                if source.source not in run["silent"] and any(load in newest for load in run["loads"])
            ],
            list(newest.values()),
        )
        tables = [
            silence.Table(rows[source.source, name], source.tables[name].volume.closed)
            for name in sorted(clocked)
            if source.tables[name].volume.history
        ]
        told = silence.judge(tables, past, max(newest.values()), heard[source.source], as_of, zone)
        if told:
            end = datetime.combine(told.days[-1] + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
            found.append(Silent(source.source, end, told))
    return found
