"""A source that comes with nothing: it was read, and days on which it surely has records have none.

A replica that stopped following its primary answers as on a quiet night. Judged by the source's own weekdays and its own
lag behind the as-of instant: a source that closes on Sundays, or delivers a month late, is not silent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from math import expm1
from zoneinfo import ZoneInfo

from lifehouse.ingest.bounds import ENOUGH
from lifehouse.ingest.volume import FEW, Rhythm

#: So much longer than ever a source may be behind, in time that it usually has records in.
_LONGER = timedelta(hours=12)
#: Runs that say how far a source is behind when nothing is wrong.
ENOUGH_RUNS = 3
_USUALLY = 0.8  # of the deliveries bring at most so much time at once
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Table:
    """Rows of a table by day (local), as accepted loads brought them, and the days on which it is declared to rest."""

    rows: Mapping[date, float]
    closed: Collection[str] = ()

    def is_closed(self, day: date) -> bool:
        return bool({day.isoformat(), f"{day:%m-%d}"} & set(self.closed))


@dataclass(frozen=True)
class Past:
    """What is known of a source: the newest record it had at earlier ``runs`` (as-of, newest), and by each of its loads."""

    runs: Sequence[tuple[datetime, datetime]]
    loads: Sequence[datetime]


@dataclass(frozen=True)
class Silence:
    """Days without a record, and how many are usual on such a one. ``has_rested``: it was so before, undeclared."""

    days: list[date]
    usual: float
    newest: datetime
    has_rested: bool


def judge(
    tables: Sequence[Table], past: Past, newest: datetime, heard: datetime, as_of: datetime, zone: str
) -> Silence | None:
    """The source's silence between its newest record and ``as_of``; None when it is as usual, or too little is known.

    :param heard: when the source last answered: days that were not over then are not missed.
    """
    local = ZoneInfo(zone)
    until = min(as_of, heard).astimezone(local)
    last = newest.astimezone(local).date()
    rhythms = [(table, rhythm) for table in tables if (rhythm := _rhythm(table, last))]

    @cache
    def expected(day: date) -> float:
        return max((_usual(table, rhythm, day) for table, rhythm in rhythms), default=0)

    missed = [day for day in _days(last + _DAY, until.date() - _DAY) if expected(day) >= FEW]
    if not missed or len(past.runs) < ENOUGH_RUNS:
        return None
    behind = [_open(was, at, local, expected) for at, was in past.runs]
    steps = sorted(_open(a, b, local, expected) for a, b in zip(past.loads, past.loads[1:], strict=False))
    at_once = steps[min(int(_USUALLY * len(steps)), len(steps) - 1)] - _DAY if steps else timedelta()
    if _open(newest, until, local, expected) <= max(*behind, at_once) + _LONGER:
        return None
    rested = (
        not any(table.rows.get(day) for table in tables)
        for day in _days(min(min(table.rows) for table in tables if table.rows), last)
        if expected(day) >= FEW
    )
    return Silence(missed, max(expected(day) for day in missed), newest, any(rested))


def _rhythm(table: Table, last: date) -> Rhythm | None:
    if not table.rows:
        return None
    rows = {day: table.rows.get(day, 0) for day in _days(min(table.rows), last) if not table.is_closed(day)}
    rhythm = Rhythm(rows)
    return rhythm if len(rhythm.with_rows) >= ENOUGH else None


def _usual(table: Table, rhythm: Rhythm, day: date) -> float:
    """Rows that the table surely has on such a day, or 0."""
    weekday = day.isoweekday()
    if table.is_closed(day) or not rhythm.surely_has_rows(weekday):
        return 0
    return expm1(rhythm.usual(weekday) or 0)


def _open(start: datetime, end: datetime, local: ZoneInfo, expected: Callable[[date], float]) -> timedelta:
    """Of the time between two instants, that on days on which records are expected."""
    total = timedelta()
    for day in _days(start.astimezone(local).date(), end.astimezone(local).date()):
        if expected(day) >= FEW:
            first, after = (
                datetime.combine(each, time(), local).astimezone(UTC) for each in (day, day + _DAY)
            )
            total += max(min(end, after) - max(start, first), timedelta())
    return total


def _days(first: date, last: date) -> list[date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]
