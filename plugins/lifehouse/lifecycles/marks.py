"""What an event brings with it beside its own columns: its place among the customer's others, as window functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lifehouse.lifecycles.conditions import days, one_of
from lifehouse.lifecycles.measures import LastDetail, Measure, Pace, Total, Values
from lifehouse.lifecycles.rules import GAPS, KNOWN

_DAY = 86_400_000_000  # microseconds


class Mark(NamedTuple):
    """A column of ``events``: its name, and its expression over ``ordered``."""

    name: str
    expression: str


def marks(measures: Iterable[Measure]) -> list[Mark]:
    """The columns that the measures need, in a fixed order."""
    found: list[Mark] = []
    for measure in measures:
        if isinstance(measure, LastDetail):
            is_in = f"coalesce({one_of('detail', measure.values)}, false)"
            found.append(Mark(f"is_{measure.column}", is_in))
        if isinstance(measure, Values):
            found += _of_values(measure)
        if isinstance(measure, Pace):
            found.append(Mark(measure.column, _pace(measure)))
    return found


def columns(measures: Iterable[Measure], *, of_points: bool = False) -> list[str]:
    """The timeline's columns that the measures read, as expressions with their names.

    :param of_points: only the names of those that the figures read at the points.
    """
    found: dict[str, str] = {}
    read: dict[str, str] = {}
    for measure in measures:
        if isinstance(measure, Total) and measure.kind == "sum":
            found["amount"] = "coalesce(amount, 0) as amount"
            if measure.currency:
                found["currency"] = "currency"
        if isinstance(measure, LastDetail):
            read["detail"] = "detail"
        if isinstance(measure, Values):
            read[measure.by] = measure.by
    return sorted(found) if of_points else sorted({**read, **found}.values())


def _of_values(measure: Values) -> list[Mark]:
    """An event enters its value if no earlier event holds it still, and leaves it if none has taken it over."""
    among = f"({one_of('event_type', measure.events)})"
    alike = f"(partition by customer_id, {measure.by}, {among} order by place)"
    before, after = f"lag(occurred_at) over {alike}", f"lead(occurred_at) over {alike}"
    still = days(measure.within) if measure.within else None
    free = f"{before} is null" + (f" or {before} + {still} <= occurred_at" if still else "")
    own = f"{measure.by} is not null and {among}"
    found = [Mark(f"enters_{measure.column}", f"{own} and ({free})")]
    if still:
        alone = f"{after} is null or {after} >= occurred_at + {still}"
        found.append(Mark(f"leaves_{measure.column}", f"{own} and ({alone})"))
    return found


def _pace(measure: Pace) -> str:
    """The rhythm at the event: whole days, what is left of one cut off; null for other events.

    Exact and without a word that engines differ in: whole microseconds, and a quotient of what divides evenly. The span
    stops where its days are surely more than ``at_most``: there it still fits into a bigint, whatever it is times.
    """
    rhythm = measure.rhythm
    frame = f"(partition by customer_id, named order by place rows between {GAPS} preceding and current row)"
    known = f"(count(*) over {frame} - 1)"
    times, of = rhythm.times.as_integer_ratio()
    enough = of * (rhythm.at_most + 1) * GAPS * _DAY // times + 1
    span = f"(extract(epoch from occurred_at - first_value(occurred_at) over {frame}) * 1000000)::bigint"
    dividend, divisor = f"{times} * least({span}, {enough})", f"({of * _DAY} * {known})"
    found = f"({dividend} - {dividend} % {divisor}) / {divisor}"
    return (
        f"case when {one_of('event_type', (measure.event,))} then case when {known} >= {KNOWN} "
        f"then least(greatest({found}, {rhythm.at_least}), {rhythm.at_most})::int "
        f"else {rhythm.until_known} end end"
    )
