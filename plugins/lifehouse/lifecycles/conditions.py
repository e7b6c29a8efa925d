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


def running(measure: Measure) -> str:
    """The measure at each point: a window function over ``life``, whose peers all see one another.

    A total counts an event in at its point ``ago`` days after it and out again when its window is over. What the
    events' columns bring with them (``enters_...``) is worked out by :mod:`lifehouse.lifecycles.marks`.
    """
    match measure:
        case Moment():
            function = "min" if measure.which == "first" else "max"
            only = f"waited = 0 and {one_of('event_type', measure.events)}"
            return f"{function}(instant) filter (where {only}) over life"
        case LastDetail():
            now, before = (one_of(column, measure.values) for column in ("detail", "detail_before"))
            change = f"coalesce({now}, false)::int - coalesce({before}, false)::int"
            only = f"waited = 0 and {one_of('event_type', (measure.event,))}"
            return f"coalesce(sum({change}) filter (where {only}) over life, 0)"
        case LatestType():
            now = one_of("event_type", measure.types)
            change = f"({now})::int - coalesce({measure.column}_before, 0)"
            only = f"waited = 0 and {one_of('event_type', measure.events)}"
            return f"coalesce(sum({change}) filter (where {only}) over life, 0)"
        case Total():
            one = "1" if measure.kind == "count" else "amount"
            out = f" when {measure.ago + measure.within} then -{one}" if measure.within else ""
            only = one_of("event_type", measure.events)
            if measure.currency:
                only += f" and currency = {text(measure.currency)}"
            change = f"case waited when {measure.ago} then {one}{out} end"
            return f"coalesce(sum({change}) filter (where not is_paced and {only}) over life, 0)"
        case Values():
            name = measure.column
            out = f" when waited = {measure.within} and leaves_{name} then -1" if measure.within else ""
            change = f"case when waited = 0 and enters_{name} then 1{out} end"
            return f"coalesce(sum({change}) filter (where not is_paced) over life, 0)"
        case Pace():
            change = f"{measure.column} - coalesce({measure.column}_before, 0)"
            only = f"waited = 0 and {one_of('event_type', (measure.event,))}"
            return f"sum({change}) filter (where {only}) over life"


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
            return f"{first} = 1"
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
