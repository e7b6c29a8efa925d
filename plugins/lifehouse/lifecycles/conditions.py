"""Rules as SQL: a measure becomes a window function, a rule a condition on the measures."""

from __future__ import annotations

import re
from decimal import Decimal

from lifehouse.lifecycles.measures import (
    LastDetail,
    LatestType,
    Measure,
    Moment,
    Pace,
    Total,
    Values,
    measures,
)
from lifehouse.lifecycles.points import Points
from lifehouse.lifecycles.rules import (
    Count,
    Distinct,
    Last,
    Latest,
    Rhythm,
    Rule,
    Since,
    SinceLast,
    Sum,
    Trend,
)


def text(value: str) -> str:
    """A SQL text literal, in which a template finds nothing to do."""
    quoted = "'" + value.replace("'", "''") + "'"
    return re.sub(r"\{(?=[{%#])", "{' || '", quoted)


def days(number: int) -> str:
    """Days of 24 hours as an interval, whatever the session's time zone."""
    return f"interval '{number * 24} hours'"


def one_of(column: str, values: tuple[str, ...]) -> str:
    """``column = 'a'`` or ``column in ('a', 'b')``."""
    if len(values) == 1:
        return f"{column} = {text(values[0])}"
    return f"{column} in ({', '.join(text(value) for value in values)})"


def running(measure: Measure, points: Points) -> str:  # noqa: PLR0911 - one for each kind of measure
    """The measure at each point: a window function over ``life``, whose peers all see one another.

    A total counts an event in at its point ``ago`` days after it and out again when its window is over. Of the latest
    event the place in the customer's order and what is asked of it travel in one number. What the events' columns bring
    with them (``enters_...``) is worked out by :mod:`lifehouse.lifecycles.marks`.
    """
    match measure:
        case Moment():
            function = "min" if measure.which == "first" else "max"
            return f"{function}(instant) filter (where {points.at(measure.events)}) over life"
        case LastDetail():
            is_in = f"case when is_{measure.column} then 1 else 0 end"
            return _of_latest(is_in, 2, points.at((measure.event,)))
        case LatestType():
            is_of = f"case when {points.at(measure.types)} then 1 else 0 end"
            return _of_latest(is_of, 2, points.at(measure.events))
        case Pace():
            return _of_latest(measure.column, 65_536, points.at((measure.event,)))
        case Total():
            one = "1" if measure.kind == "count" else "amount"
            only = f" and currency = {text(measure.currency)}" if measure.currency else ""
            into = points.at(measure.events, measure.ago)
            if not measure.within:
                return f"coalesce(sum({one}) filter (where {into}{only}) over life, 0)"
            out = points.at(measure.events, measure.ago + measure.within)
            change = f"case when {into} then {one} when {out} then -{one} end"
            return f"coalesce(sum({change}) filter (where ({into} or {out}){only}) over life, 0)"
        case Values():
            name = measure.column
            out = ""
            if measure.within:
                out = f" when {points.at(measure.events, measure.within)} and leaves_{name} then -1"
            return f"coalesce(sum(case when {points.at(measure.events)} and enters_{name} then 1{out} end) over life, 0)"


def _of_latest(value: str, beyond: int, only: str) -> str:
    """The value, from 0 up to ``beyond``, at the latest of the points; null before the first."""
    return f"max(place * {beyond} + {value}) filter (where {only}) over life % {beyond}"


def condition(rule: Rule) -> str:  # noqa: PLR0911 - one for each kind of rule
    """The rule on the measures' columns; true or false at every point, never null."""
    match rule.kind, rule.node:
        case "every", parts:
            return _joined(" and ", parts)
        case "some", parts:
            return _joined(" or ", parts)
        case "negated", part:
            return f"not ({condition(part)})"
    columns = [measure.column for measure in measures(rule)]
    first = columns[0]
    match rule.kind, rule.node:
        case "ever", _:
            return f"{first} is not null"
        case "never", _:
            return f"{first} is null"
        case _, (Since() | SinceLast()) as since:
            parts = [f"{first} is not null"]
            parts += [f"instant >= {first} + {_window(since, since.at_least)}"] if since.at_least else []
            parts += [f"instant < {first} + {_window(since, since.less_than)}"] if since.less_than else []
            return " and ".join(parts)
        case _, Trend() as trend:
            parts = [f"{columns[1]} >= {number(trend.from_at_least)}"]
            parts += [f"{first} < {number(trend.falls_below)} * {columns[1]}"] if trend.falls_below else []
            parts += [f"{first} > {number(trend.rises_above)} * {columns[1]}"] if trend.rises_above else []
            return " and ".join(parts)
        case _, (Last() | Latest()):
            return f"coalesce({first}, 0) = 1"
        case _, (Count() | Distinct()) as count:
            parts = [f"{first} >= {count.at_least}"] if count.at_least is not None else []
            parts += [f"{first} <= {count.at_most}"] if count.at_most is not None else []
            return " and ".join(parts)
        case _, Sum() as total:
            parts = [f"{first} >= {number(total.at_least)}"] if total.at_least is not None else []
            parts += [f"{first} < {number(total.less_than)}"] if total.less_than is not None else []
            return " and ".join(parts)
    raise AssertionError(rule)


def _window(since: Since | SinceLast, window: int | Rhythm) -> str:
    return days(window) if isinstance(window, int) else f"{Pace(since.of[0], window).column} * {days(1)}"


def number(value: Decimal) -> str:
    """A decimal literal; negative ones in brackets."""
    return f"{value:f}" if value >= 0 else f"({value:f})"


def _joined(word: str, parts: tuple[Rule, ...]) -> str:
    return word.join(f"({condition(part)})" for part in parts) if len(parts) > 1 else condition(parts[0])
