"""What an event brings with it beside its own columns: its place among the customer's others, as window functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lifehouse.lifecycles.conditions import days, one_of
from lifehouse.lifecycles.measures import LatestType, Measure, Pace, Values
from lifehouse.lifecycles.rules import GAPS, KNOWN

_DAY = 86_400_000_000  # microseconds


class Mark(NamedTuple):
    """A column of ``events``: its name, its expression over ``customer_events``, its type."""

    name: str
    expression: str
    type: str


def marks(measures: Iterable[Measure]) -> list[Mark]:
    """The columns that the measures need, in a fixed order."""
    found: list[Mark] = []
    for measure in measures:
        if isinstance(measure, LatestType):
            found.append(_of_latest(measure))
        if isinstance(measure, Values):
            found += _of_values(measure)
        if isinstance(measure, Pace):
            found += _of_pace(measure)
    return found


def _of_latest(measure: LatestType) -> Mark:
    """Whether the one before it, of these events, was of one of the types."""
    among = f"({one_of('event_type', measure.events)})"
    alike = f"(partition by customer_id, {among} order by occurred_at, event_id)"
    was = f"lag(({one_of('event_type', measure.types)})::int) over {alike}"
    return Mark(f"{measure.column}_before", was, "int")


def _of_values(measure: Values) -> list[Mark]:
    """An event enters its value if no earlier event holds it still, and leaves it if none has taken it over."""
    among = f"({one_of('event_type', measure.events)})"
    alike = f"(partition by customer_id, {measure.by}, {among} order by occurred_at, event_id)"
    before, after = f"lag(occurred_at) over {alike}", f"lead(occurred_at) over {alike}"
    still = days(measure.within) if measure.within else None
    free = f"{before} is null" + (f" or {before} + {still} <= occurred_at" if still else "")
    own = f"{measure.by} is not null and {among}"
    found = [Mark(f"enters_{measure.column}", f"{own} and ({free})", "boolean")]
    if still:
        alone = f"{after} is null or {after} >= occurred_at + {still}"
        found.append(Mark(f"leaves_{measure.column}", f"{own} and ({alone})", "boolean"))
    return found


def _of_pace(measure: Pace) -> list[Mark]:
    """The rhythm at the event, and at the one before it, which it takes the place of."""
    return [
        Mark(measure.column, _pace(measure, "occurred_at", 0), "int"),
        Mark(f"{measure.column}_before", _pace(measure, "lag(occurred_at) over same_type", 1), "int"),
    ]


def _pace(measure: Pace, last: str, skipped: int) -> str:
    """Whole days, what is left of one cut off; null for other events.

    Exact and without a word that engines differ in: whole microseconds, and a quotient of what divides evenly. The span
    stops where its days are surely more than ``at_most``: there it still fits into a bigint, whatever it is times.

    :param skipped: so many events before this one the ``last`` of the gaps ends.
    """
    rhythm = measure.rhythm
    end = "current row" if not skipped else f"{skipped} preceding"
    frame = (
        "(partition by customer_id, event_type order by occurred_at, event_id "
        f"rows between {GAPS + skipped} preceding and {end})"
    )
    known = f"(count(*) over {frame} - 1)"
    times, of = rhythm.times.as_integer_ratio()
    enough = of * (rhythm.at_most + 1) * GAPS * _DAY // times + 1
    span = f"(extract(epoch from {last} - first_value(occurred_at) over {frame}) * 1000000)::bigint"
    dividend, divisor = f"{times} * least({span}, {enough})", f"({of * _DAY} * {known})"
    found = f"({dividend} - {dividend} % {divisor}) / {divisor}"
    own = one_of("event_type", (measure.event,)) + (f" and {last} is not null" if skipped else "")
    return (
        f"case when {own} then case when {known} >= {KNOWN} "
        f"then least(greatest({found}, {rhythm.at_least}), {rhythm.at_most})::int "
        f"else {rhythm.until_known} end end"
    )
