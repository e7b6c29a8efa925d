"""How many rows a table usually has on such days: by weekday, from the days that accepted loads brought.

A day is judged when it is over for this source: a source that is read in the middle of a day is judged on the day before.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from lifehouse.ingest.bounds import ENOUGH, ROWS, Bounds, History, bounds

_ENOUGH_OF_A_WEEKDAY = 4
_COMPLETE = 0.6  # of a usual day: sources whose newest day has that much are read when the day is over
_SURELY = 0.8  # of the same weekdays had rows: then a day without any is a lost one
FEW = 30  # rows more or less, or usual on a lost day, are never worth a word
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """Rows of a day: ``before`` in accepted loads, ``found`` in this one, ``elsewhere`` in the source's other tables.

    ``newest``: what an earlier load had of this day when it was the newest that it reached.
    """

    day: date
    before: float
    found: float
    elsewhere_before: float = 0
    elsewhere: float = 0
    newest: float | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of the days that a load completes, with what is usual, and the days that have none."""

    found: float
    usual: float
    bounds: Bounds | None
    days: int
    basis: str
    lost: list[date] = field(default_factory=list)
    is_lost_alone: bool = False  # other tables of the source have rows on those days
    closes_at_times: bool = False  # days without rows were there before, of a weekday or one by one
    usual_of_a_lost_day: float = 0


@dataclass
class Rhythm:
    """What earlier days say; ``rows`` has every day of the calendar, those without rows as 0."""

    rows: dict[date, float]

    def of(self, weekday: int) -> list[float]:
        return [count for day, count in self.rows.items() if day.isoweekday() == weekday]

    @property
    def with_rows(self) -> list[float]:
        return [count for count in self.rows.values() if count]

    def usual(self, weekday: int) -> float | None:
        """The usual number of rows on a log scale; None if too little is known."""
        same = self.of(weekday)
        values = same if len(same) >= _ENOUGH_OF_A_WEEKDAY else self.with_rows
        if values is not same and len(values) < ENOUGH:
            return None
        return median(map(math.log1p, values))

    def surely_has_rows(self, weekday: int) -> bool:
        same = self.of(weekday)
        return len(same) >= _ENOUGH_OF_A_WEEKDAY and sum(map(bool, same)) >= _SURELY * len(same)

    def residuals(self) -> list[float]:
        found = (
            (math.log1p(count), self.usual(day.isoweekday())) for day, count in self.rows.items() if count
        )
        return [value - usual for value, usual in found if usual is not None]


def judge(days: Sequence[Day], reach: date, factor: float = 1, closed: Collection[str] = ()) -> Rows | None:
    """How the rows of the days that this load completes compare with earlier days; None when too little is known.

    :param days: one for each day that has rows, of this table or another. :param reach: the source's newest day.
    :param closed: days that are not lost when they have no rows, as ``MM-DD`` or ``YYYY-MM-DD``.
    """
    reached = [day.day for day in days if day.newest is not None]
    if not reached:
        return None
    last = max(reached)
    found = {day.day: day for day in days}
    rhythm, is_complete = _history(found, last)
    if len(rhythm.with_rows) < ENOUGH:
        return None
    judged = _judged(found, last, reach, is_complete=is_complete)
    if len([day for day in judged if _total(found, day)]) > len(rhythm.rows) / 2:
        return None  # a catch-up brings more days than are known: it is itself the history
    usual = {day: rhythm.usual(day.isoweekday()) for day in judged}
    there = [day for day in judged if _total(found, day) and usual[day] is not None]
    rows, expected = sum(_total(found, day) for day in there), sum(_rows(usual[day]) for day in there)
    lost = [
        day
        for day in judged
        if not _total(found, day)
        and not {day.isoformat(), f"{day:%m-%d}"} & set(closed)
        and rhythm.surely_has_rows(day.isoweekday())
        and _rows(usual[day]) >= FEW
    ]
    residuals = rhythm.residuals()
    limits = None
    if there and residuals and abs(rows - expected) >= FEW:
        middle = median(residuals)
        mad = median(abs(value - middle) for value in residuals)
        basis = _basis(rhythm, there)
        history = History(middle, mad, min(residuals), max(residuals), len(residuals), basis)
        limits = _in_rows(bounds(history, ROWS, expected, factor), expected)
    return Rows(
        rows,
        expected,
        limits,
        len(residuals),
        _basis(rhythm, there or lost),
        lost,
        is_lost_alone=any(found[day].elsewhere for day in lost if day in found),
        closes_at_times=len(rhythm.with_rows) < len(rhythm.rows),
        usual_of_a_lost_day=min((_rows(usual[day]) for day in lost), default=0),
    )


def _history(found: dict[date, Day], last: date) -> tuple[Rhythm, bool]:
    """The days up to the last one reached, which counts only if the source's newest day is a whole one."""
    first = min(day.day for day in found.values() if day.before)
    known = Rhythm({day: _before(found, day) for day in _calendar(first, last - _DAY)})
    shares = [
        day.newest / _rows(usual)
        for day in found.values()
        if day.newest is not None
        and (usual := known.usual(day.day.isoweekday())) is not None
        and _rows(usual)
    ]
    is_complete = bool(shares) and median(shares) >= _COMPLETE
    if is_complete:
        known.rows[last] = _before(found, last)
    return known, is_complete


def _judged(found: dict[date, Day], last: date, reach: date, *, is_complete: bool) -> list[date]:
    """The days that this load completes: none is missing, whether it has rows or not."""
    earlier = max((day.day for day in found.values() if day.before or day.elsewhere_before), default=last)
    own = max((day.day for day in found.values() if day.found), default=last)
    end = max(own, reach - max(earlier - last, timedelta()))
    return _calendar(last + _DAY, end) if is_complete else _calendar(last, end - _DAY)


def _calendar(first: date, last: date) -> list[date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]


def _before(found: dict[date, Day], day: date) -> float:
    return found[day].before if day in found else 0


def _total(found: dict[date, Day], day: date) -> float:
    return found[day].before + found[day].found if day in found else 0


def _rows(usual: float | None) -> float:
    return math.expm1(usual) if usual is not None else 0


def _in_rows(limits: Bounds, expected: float) -> Bounds:
    low, high, critical_low, critical_high = (
        (expected + 1) * math.exp(value) - 1
        for value in (limits.low, limits.high, limits.critical_low, limits.critical_high)
    )
    return Bounds(low, high, critical_low, critical_high)


def _basis(rhythm: Rhythm, days: list[date]) -> str:
    weekdays = {day.isoweekday() for day in days}
    if weekdays and all(len(rhythm.of(weekday)) >= _ENOUGH_OF_A_WEEKDAY for weekday in weekdays):
        return "same weekday"
    return "all days"
