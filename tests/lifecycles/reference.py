"""Lifecycles the slow way, to compare with: walk one customer's events and ask every rule at every instant.

Written from the words of the rule language alone; reads the YAML's plain data and shares no code with the package.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Event:
    """One row of the timeline."""

    at: datetime
    type: str
    id: str
    amount: Decimal | None = None
    currency: str | None = None
    detail: str | None = None
    channel: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Interval:
    """One stay: half-open, with what began it."""

    stage: str
    entered_at: datetime
    exited_at: datetime | None
    cause_type: str
    cause_event_type: str
    cause_event_id: str
    window_days: int | None


def history(lifecycle: dict[str, Any], events: list[Event]) -> list[Interval]:
    """The customer's intervals, found by asking at every event and every expiry that could conceivably matter."""
    order = sorted(events, key=lambda event: (event.at, event.id))
    windows = {days for _, days, _ in _expiries(lifecycle)}
    instants = {event.at + timedelta(days=days) for event in order for days in {0, *windows}}
    instants |= {event.at + timedelta(days=days) for event, days in _paced(lifecycle, order)}
    found: list[Interval] = []
    for instant in sorted(instants):
        stage = stage_at(lifecycle, order, instant)
        if found and found[-1].stage == stage:
            continue
        if found:
            found[-1] = Interval(**{**vars(found[-1]), "exited_at": instant})
        found.append(Interval(stage, instant, None, *_cause(lifecycle, order, instant, is_start=not found)))
    return found


def recorded(events: list[Event]) -> dict[str, list[Interval]]:
    """The customer's intervals in each recorded lifecycle: at every record, what the latest one says."""
    found: dict[str, list[Interval]] = {}
    told = [event for event in events if event.type == "crm_stage" and (event.detail or "").strip()]
    for pipeline in {(event.kind or "").strip() for event in told}:
        records = [event for event in told if (event.kind or "").strip() == pipeline]
        stays: list[Interval] = []
        for now in sorted({event.at for event in records}):
            latest = max(
                (event for event in records if event.at <= now), key=lambda event: (event.at, event.id)
            )
            stage = (latest.detail or "").strip()
            if stays and stays[-1].stage == stage:
                continue
            if stays:
                stays[-1] = Interval(**{**vars(stays[-1]), "exited_at": now})
            stays.append(Interval(stage, now, None, "record", "crm_stage", latest.id, None))
        found[f"recorded_{pipeline}" if pipeline else "recorded"] = stays
    return found


def stage_at(lifecycle: dict[str, Any], events: list[Event], instant: datetime) -> str:
    """The first stage in the order of precedence whose rule holds; the last takes everyone else."""
    rules = {stage["stage"]: stage.get("rule") for stage in lifecycle["stages"]}
    return next(
        name for name in lifecycle["precedence"] if rules[name] is None or holds(rules[name], events, instant)
    )


def holds(rule: dict[str, Any], events: list[Event], now: datetime) -> bool:
    """Does the rule hold at ``now`` for these events (in order of time and id)?"""
    ((kind, node),) = rule.items()
    if kind == "all":
        return all(holds(part, events, now) for part in node)
    if kind == "any":
        return any(holds(part, events, now) for part in node)
    if kind == "not":
        return not holds(node, events, now)
    types = _types(node if kind in ("ever", "never") else node["of"])
    past = [event for event in events if event.at <= now and event.type in types]
    if kind in ("ever", "never"):
        return bool(past) == (kind == "ever")
    if kind == "latest":
        return bool(past) and past[-1].type in _types(node["is"])
    if kind == "last":
        return bool(past) and past[-1].detail in node["in"]
    if kind in ("since_last", "since_first"):
        if not past:
            return False
        waited = now - (past[-1] if kind == "since_last" else past[0]).at
        return ("at_least" not in node or waited >= _window(node["at_least"], past)) and (
            "less_than" not in node or waited < _window(node["less_than"], past)
        )
    if kind == "trend":
        over = _window(node["over"])
        measure = node.get("measure", "count")
        current = _measure(measure, node, [event for event in past if now - event.at < over])
        before = _measure(measure, node, [event for event in past if over <= now - event.at < 2 * over])
        if before < Decimal(str(node.get("from_at_least", 1))):
            return False
        falls, rises = (node.get(key) for key in ("falls_below", "rises_above"))
        return (falls is None or current < Decimal(str(falls)) * before) and (
            rises is None or current > Decimal(str(rises)) * before
        )
    if kind == "distinct":
        past = [event for event in past if getattr(event, node["by"]) is not None]
    within = [event for event in past if "within" not in node or now - event.at < _window(node["within"])]
    values = {getattr(event, node["by"]) for event in within} if kind == "distinct" else set()
    value = Decimal(len(values)) if kind == "distinct" else _measure(kind, node, within)
    return (
        ("at_least" not in node or value >= Decimal(str(node["at_least"])))
        and ("at_most" not in node or value <= Decimal(str(node["at_most"])))
        and ("less_than" not in node or value < Decimal(str(node["less_than"])))
    )


def _measure(kind: str, node: dict[str, Any], events: list[Event]) -> Decimal:
    if kind == "count":
        return Decimal(len(events))
    currency = node.get("currency")
    return sum(
        (event.amount or Decimal(0) for event in events if currency in (None, event.currency)), Decimal(0)
    )


def _cause(
    lifecycle: dict[str, Any], events: list[Event], now: datetime, *, is_start: bool
) -> tuple[str, str, str, int | None]:
    """The start; else the named event with the least id; else the shortest window that ran out, by its event's id."""
    simultaneous = [event for event in events if event.at == now]
    if is_start:
        return "start", simultaneous[0].type, simultaneous[0].id, None
    expiries = _expiries(lifecycle)
    named = [event for event in simultaneous if event.type in {type_ for type_, _, _ in expiries}]
    if named:
        return "event", named[0].type, named[0].id, None
    ran_out = []
    for type_, days in {(type_, days) for type_, days, _ in expiries if days}:
        kinds = {
            kind for named_type, named_days, kind in expiries if (named_type, named_days) == (type_, days)
        }
        of_type = [event for event in events if event.type == type_]
        for place, event in enumerate(of_type):
            end = event.at + timedelta(days=days)
            followed = place + 1 < len(of_type) and of_type[place + 1].at <= end
            counts = (kinds == {"first"} and place == 0) or (kinds == {"last"} and not followed)
            if end == now and (counts or kinds not in ({"first"}, {"last"})):
                ran_out.append((days, event.id, event.type))
    for event, days in _paced(lifecycle, events):
        of_type = [other for other in events if other.type == event.type]
        end, place = event.at + timedelta(days=days), of_type.index(event)
        followed = place + 1 < len(of_type) and of_type[place + 1].at <= end
        if end == now and not followed:
            ran_out.append((days, event.id, event.type))
    days, id_, type_ = min(ran_out)
    return "window", type_, id_, days


def _expiries(lifecycle: dict[str, Any]) -> set[tuple[str, int, str]]:
    """(event type, days, after which events of the type): everything that the rules name; 0 days is the event."""
    found: set[tuple[str, int, str]] = set()
    for stage in lifecycle["stages"]:
        found |= _named(stage["rule"]) if stage.get("rule") else set()
    return found


def _named(rule: dict[str, Any]) -> set[tuple[str, int, str]]:
    ((kind, node),) = rule.items()
    if kind in ("all", "any"):
        return set().union(*(_named(part) for part in node))
    if kind == "not":
        return _named(node)
    types = _types(node if kind in ("ever", "never") else node["of"])
    found = {(type_, 0, "each") for type_ in types}
    windows: list[tuple[int, str]] = []
    if kind in ("count", "sum", "distinct") and "within" in node:
        windows = [(_window(node["within"]).days, "each")]
    if kind == "trend":
        windows = [(_window(node["over"]).days, "each"), (2 * _window(node["over"]).days, "each")]
    if kind in ("since_last", "since_first"):
        windows = [
            (_window(node[key]).days, kind.removeprefix("since_"))
            for key in ("at_least", "less_than")
            if key in node and isinstance(node[key], str)
        ]
    return found | {(type_, days, after) for type_ in types for days, after in windows}


def _types(of: Any) -> set[str]:
    return {of} if isinstance(of, str) else set(of)


def _paced(lifecycle: dict[str, Any], events: list[Event]) -> list[tuple[Event, int]]:
    """Each event after which a window follows the customer's rhythm, and the window's days as they were then known."""
    found = []
    for type_, rhythm in _rhythms([stage["rule"] for stage in lifecycle["stages"] if stage.get("rule")]):
        of_type = [event for event in events if event.type == type_]
        for place, event in enumerate(of_type):
            found.append((event, _window(rhythm, of_type[: place + 1]).days))
    return found


def _rhythms(nodes: Any) -> list[tuple[str, dict[str, Any]]]:
    """Every (event type, window that follows a rhythm) anywhere in the rules."""
    if isinstance(nodes, list):
        return [found for node in nodes for found in _rhythms(node)]
    if not isinstance(nodes, dict):
        return []
    own = [
        (next(iter(_types(nodes["of"]))), nodes[key])
        for key in ("at_least", "less_than")
        if isinstance(nodes.get(key), dict)
    ]
    return own + [found for node in nodes.values() for found in _rhythms(node)]


def _window(text: Any, past: list[Event] | None = None) -> timedelta:
    if isinstance(text, dict):
        gaps = [later.at - earlier.at for earlier, later in pairwise((past or [])[-11:])]
        if len(gaps) < 3:
            return _window(text["until_known"])
        microseconds = sum(gaps, timedelta()) // timedelta(microseconds=1)
        usual = Fraction(microseconds, len(gaps) * 86_400_000_000)
        days = math.floor(Fraction(str(text["times"])) * usual)
        return timedelta(days=min(max(days, _window(text["at_least"]).days), _window(text["at_most"]).days))
    return timedelta(days=int(text[:-1])) if text[-1] == "d" else timedelta(weeks=int(text[:-1]))


def without_names(lifecycle: dict[str, Any]) -> dict[str, Any]:
    """A declaration with every window in the place of its name, and without the KPIs' measures, which call them, too."""
    names = lifecycle.pop("windows", {})

    def walked(node: Any) -> Any:
        if isinstance(node, list):
            return [walked(item) for item in node]
        if isinstance(node, dict):
            return {key: walked(value) for key, value in node.items()}
        return names.get(node, node)

    for stage in lifecycle["stages"]:
        stage["rule"] = walked(stage.get("rule"))
        stage["kpi"].pop("measure", None)
    return lifecycle
