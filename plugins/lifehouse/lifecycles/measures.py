"""What rules need to know of a customer at an instant, and when that can change by itself.

A *measure* is one column of running figures, shared by all rules that need it. A *wait* is an instant at
which a measure may change without an event: so many days after one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

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

#: Postgres' longest identifier is 63 bytes.
_LONGEST = 50


@dataclass(frozen=True)
class Total:
    """Events counted, or their amounts added up, in a window that ended ``ago`` days before the instant."""

    kind: Literal["count", "sum"]
    events: tuple[str, ...]
    within: int | None = None
    ago: int = 0
    currency: str | None = None

    @property
    def column(self) -> str:
        window = f"{self.within}d" if self.within else "ever"
        before = f"{self.ago}d_before" if self.ago else None
        currency = self.currency.lower() if self.currency else None
        return _name(*self.events, self.kind, currency, window, before)


@dataclass(frozen=True)
class Moment:
    """When the first or the last of the events was."""

    which: Literal["first", "last"]
    events: tuple[str, ...]

    @property
    def column(self) -> str:
        return _name(self.which, *self.events, "at")


@dataclass(frozen=True)
class LastDetail:
    """How often the latest event's detail is one of the values: 1 or 0."""

    event: str
    values: tuple[str, ...]

    @property
    def column(self) -> str:
        return f"last_{self.event}_in_{_digest(self.values)}"


@dataclass(frozen=True)
class LatestType:
    """Whether the latest of the events is of one of the types: 1 or 0."""

    events: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def column(self) -> str:
        return f"latest_{_digest((*self.events, 'is', *self.types))}"


@dataclass(frozen=True)
class Values:
    """How many different values the events have in a column."""

    events: tuple[str, ...]
    by: str
    within: int | None

    @property
    def column(self) -> str:
        return _name(*self.events, self.by, "values", f"{self.within}d" if self.within else "ever")


@dataclass(frozen=True)
class Pace:
    """The days that the customer's rhythm gave at the latest event."""

    event: str
    rhythm: Rhythm

    @property
    def column(self) -> str:
        return f"pace_{_digest((self.event, self.rhythm.model_dump_json()))}"


Measure = Total | Moment | LastDetail | LatestType | Values | Pace


class Wait(NamedTuple):
    """An expiry, ``days`` after ``each`` event, the ``first``, or the ``last`` (no other came by then)."""

    event_type: str
    days: int
    after: Literal["each", "first", "last"]


def leaves(rule: Rule) -> Iterator[Rule]:
    """The rule's conditions that combine no others, in the order in which they are written."""
    if rule.kind in ("every", "some"):
        for part in rule.node:
            yield from leaves(part)
    elif rule.kind == "negated":
        yield from leaves(rule.node)
    else:
        yield rule


def measures(rule: Rule) -> tuple[Measure, ...]:  # noqa: PLR0911 - one for each kind of rule
    """The measures of a rule that combines no others."""
    match rule.kind, rule.node:
        case (("ever" | "never"), _):
            return (Moment("first", rule.node),)
        case _, Count() as count:
            return (Total("count", count.of, count.within),)
        case _, Sum() as total:
            return (Total("sum", total.of, total.within, currency=total.currency),)
        case "since_last", SinceLast() as since:
            paces = (Pace(since.of[0], rhythm) for rhythm in since.rhythms)
            return (Moment("last", since.of), *dict.fromkeys(paces))
        case _, Distinct() as distinct:
            return (Values(distinct.of, distinct.by, distinct.within),)
        case "since_first", Since() as since:
            return (Moment("first", since.of),)
        case _, Trend() as trend:
            now = Total(trend.measure, trend.of, trend.over, currency=trend.currency)
            return (now, Total(trend.measure, trend.of, trend.over, ago=trend.over, currency=trend.currency))
        case _, Last() as last:
            return (LastDetail(last.of, last.is_in),)
        case _, Latest() as latest:
            return (LatestType(latest.of, latest.is_of),)
    raise AssertionError(rule)


def waits(rules: list[Rule]) -> list[Wait]:
    """Every wait of the rules, once for each event type and number of days (0: the event itself), sorted.

    Those of a rhythm are not among them: their days are the customer's own (:class:`Pace`).
    """
    found: dict[tuple[str, int], Wait] = {}
    for leaf in (leaf for rule in rules for leaf in leaves(rule)):
        for wait in _waits(leaf):
            known = found.setdefault(wait[:2], wait)
            if known.after != wait.after:  # "first" and "last" together: all of them are a safe superset
                found[wait[:2]] = wait._replace(after="each")
    return sorted(found.values())


def _waits(leaf: Rule) -> Iterator[Wait]:
    for measure in measures(leaf):
        events = (measure.event,) if isinstance(measure, LastDetail | Pace) else measure.events
        for event in events:
            yield Wait(event, 0, "each")
            if isinstance(measure, Total) and measure.within:
                yield Wait(event, measure.ago, "each")
                yield Wait(event, measure.ago + measure.within, "each")
            if isinstance(measure, Values) and measure.within:
                yield Wait(event, measure.within, "each")
            if isinstance(measure, Moment) and isinstance(leaf.node, Since | SinceLast):
                for days in (leaf.node.at_least, leaf.node.less_than):
                    if isinstance(days, int):
                        yield Wait(event, days, measure.which)


def _name(*parts: str | None) -> str:
    name = "_".join(part for part in parts if part)
    return name if len(name) <= _LONGEST else f"measure_{_digest(parts)}"


def _digest(parts: tuple[str | None, ...]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
