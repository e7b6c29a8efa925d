"""What stage metrics should be, worked out naively in plain Python: one look at all stays and events for each figure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from lifehouse.lifecycles.declaration import Stage
from lifehouse.lifecycles.kpis import Measure

NEVER = datetime.max.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stay:
    customer: str
    stage: str
    entered: datetime
    exited: datetime
    cause: str
    went_to: str | None

    def holds(self, at: datetime) -> bool:
        return self.entered <= at < self.exited


@dataclass(frozen=True)
class Event:
    customer: str
    at: datetime
    type: str
    id: str
    amount: Decimal
    currency: str | None
    value: Decimal | None


@dataclass(frozen=True)
class Told:
    """The life of a company: the stays of one lifecycle, the events, and what campaigns cost on which days."""

    stays: Sequence[Stay]
    events: Sequence[Event]
    costs: Sequence[tuple[datetime, Decimal]]
    currency: str


def kpi(stage: Stage, at: datetime, told: Told) -> Decimal | None:
    """The stage's KPI at an instant."""
    measure = stage.kpi.measure
    assert measure is not None
    part, base = _QUOTIENTS[measure.kind](stage.stage, measure, at, told)
    return Decimal(part) / Decimal(base) if base else None


def _in(told: Told, stages: Sequence[str], at: datetime) -> set[str]:
    return {stay.customer for stay in told.stays if stay.stage in stages and stay.holds(at)}


def _window(measure: Measure, at: datetime) -> tuple[datetime, datetime]:
    days = timedelta(days=measure.node.over)
    return at - days, at


def _heard(
    told: Told, measure: Measure, since: datetime, until: datetime, among: set[str] | None
) -> list[Event]:
    return [
        event
        for event in told.events
        if event.type in measure.node.of and since < event.at <= until
        if among is None or event.customer in among
    ]


def _sum(told: Told, measure: Measure, events: list[Event]) -> Decimal:
    if measure.node.figure == "count":
        return Decimal(len(events))
    return sum((event.amount for event in events if event.currency == told.currency), Decimal(0))


def _moved_on(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[int, int]:
    since, until = _window(measure, at)
    if measure.node.of == "left":
        of = [stay for stay in told.stays if stay.stage == stage and since < stay.exited <= until]
    else:
        of = [stay for stay in told.stays if stay.stage == stage and stay.holds(since)]
    return sum(stay.exited <= until and stay.went_to in measure.node.to for stay in of), len(of)


def _reached(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[int, int]:
    within = timedelta(days=measure.node.within)
    since, until = _window(measure, at - within)
    of = [stay for stay in told.stays if stay.stage == stage and since < stay.entered <= until]
    if measure.node.event is None:
        there = [
            stay.exited <= stay.entered + within
            and (measure.node.to is None or stay.went_to in measure.node.to)
            for stay in of
        ]
        return sum(there), len(of)
    moments: dict[str, list[Event]] = {}
    for event in told.events:
        if event.type in measure.node.event:
            moments.setdefault(event.customer, []).append(event)
    again = [
        any(
            stay.entered <= event.at <= stay.entered + within and event.id != stay.cause
            for event in moments.get(stay.customer, [])
        )
        for stay in of
    ]
    return sum(again), len(of)


def _kept(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[int, int]:
    before = _in(told, [stage], _window(measure, at)[0])
    return len(before & _in(told, [stage], at)), len(before)


def _gained(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[int, int]:
    others = [stay.stage for stay in told.stays if stay.stage != stage]
    before = _in(told, sorted(set(others)), _window(measure, at)[0])
    return len(before & _in(told, [stage], at)), len(before)


def _active(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[int, int]:
    people = _in(told, [stage], at)
    return len({event.customer for event in _heard(told, measure, *_window(measure, at), people)}), len(
        people
    )


def _per_customer(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[Decimal, int]:
    people = _in(told, measure.node.stages or [stage], at)
    return _sum(told, measure, _heard(told, measure, *_window(measure, at), people)), len(people)


def _mean(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[Decimal, int]:
    events = _heard(told, measure, *_window(measure, at), _in(told, [stage], at))
    values = [event.value for event in events if event.value is not None]
    return sum(values, Decimal(0)), len(values)


def _growth(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[Decimal, Decimal]:
    people, (since, until) = _in(told, [stage], at), _window(measure, at)
    now = _heard(told, measure, since, until, people)
    before = _heard(told, measure, since - (until - since), since, people)
    return _sum(told, measure, now), _sum(told, measure, before)


def _share_of_all(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[Decimal, Decimal]:
    window = _window(measure, at)
    theirs = _heard(told, measure, *window, _in(told, [stage], at))
    return _sum(told, measure, theirs), _sum(told, measure, _heard(told, measure, *window, None))


def _cost_per_customer(stage: str, measure: Measure, at: datetime, told: Told) -> tuple[Decimal, int]:
    since, until = _window(measure, at)
    spent = sum((cost for day, cost in told.costs if since < day <= until), Decimal(0))
    won = [
        stay
        for stay in told.stays
        if stay.stage == stage and since < stay.exited <= until and stay.went_to in measure.node.to
    ]
    return spent, len(won)


_QUOTIENTS: dict[str, Callable[[str, Measure, datetime, Told], tuple[Decimal | int, Decimal | int]]] = {
    "moved_on": _moved_on,
    "reached": _reached,
    "kept": _kept,
    "gained": _gained,
    "active": _active,
    "per_customer": _per_customer,
    "mean": _mean,
    "growth": _growth,
    "share_of_all": _share_of_all,
    "cost_per_customer": _cost_per_customer,
}


def period(kind: str, day: date, zone: ZoneInfo) -> tuple[date, datetime, datetime]:
    """The period that holds the day: its first day, its first instant and the first instant after it."""
    if kind == "day":
        first, after = day, day + timedelta(days=1)
    elif kind == "week":
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    begins, ends = (datetime.combine(edge, time(), zone).astimezone(UTC) for edge in (first, after))
    return first, begins, ends


def dwell(
    stays: Sequence[Stay], as_of: datetime, horizon: float | None
) -> tuple[float, float | None, float | None]:
    """Kaplan and Meier by hand: the horizon in days, the restricted mean and the median."""
    lengths = [
        ((min(stay.exited, as_of) - stay.entered) / timedelta(days=1), stay.exited <= as_of) for stay in stays
    ]
    longest = max(days for days, _ in lengths)
    limit = min(365.0, longest) if horizon is None else horizon
    survival, area, since, median = 1.0, 0.0, 0.0, None
    ordered, ended = sorted(days for days, _ in lengths), Counter(days for days, over in lengths if over)
    for moment in sorted(ended):
        area += survival * (min(moment, limit) - min(since, limit))
        at_risk = len(ordered) - bisect_left(ordered, moment)
        survival *= 1 - ended[moment] / at_risk
        since = moment
        if median is None and survival <= 0.5 + 1e-9:
            median = moment
    area += survival * (limit - min(since, limit))
    known = longest >= limit or survival < 1e-12
    return limit, area if known else None, median
