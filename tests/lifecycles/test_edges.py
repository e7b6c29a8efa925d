"""What happens on the very edge of a window, and what is named as the cause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg

from lifecycles.drawing import START, lifecycle
from lifecycles.reference import Event, Interval
from lifecycles.warehouse import fill, histories
from lifehouse.lifecycles.declaration import Lifecycle

MICROSECOND = timedelta(microseconds=1)
QUIET = {"since_last": {"of": "order", "at_least": "30d"}}


def _order(at: datetime, number: int = 1) -> Event:
    return Event(at, "order", f"{number:032x}")


def _stays(
    timeline: psycopg.Connection[Any], rules: list[dict[str, Any]], events: list[Event]
) -> list[Interval]:
    fill(timeline, {"ann": events})
    return histories(timeline, Lifecycle.model_validate(lifecycle(rules)))["ann"]


def test_a_customer_is_quiet_from_the_very_microsecond_on_which_the_window_runs_out(
    timeline: psycopg.Connection[Any],
) -> None:
    active, quiet = _stays(timeline, [QUIET], [_order(START)])
    assert (active.stage, active.entered_at, active.exited_at) == ("s1", START, START + timedelta(days=30))
    assert (quiet.stage, quiet.exited_at) == ("s0", None)
    assert (quiet.cause_type, quiet.cause_event_type, quiet.window_days) == ("window", "order", 30)


def test_an_order_at_the_instant_of_expiry_keeps_the_customer_and_one_microsecond_later_it_does_not(
    timeline: psycopg.Connection[Any],
) -> None:
    expiry = START + timedelta(days=30)
    kept = _stays(timeline, [QUIET], [_order(START), _order(expiry, 2)])
    assert [stay.stage for stay in kept] == ["s1", "s0"]
    assert kept[1].entered_at == expiry + timedelta(days=30)
    late = _stays(timeline, [QUIET], [_order(START), _order(expiry + MICROSECOND, 2)])
    assert [stay.stage for stay in late] == ["s1", "s0", "s1", "s0"]
    assert (late[1].entered_at, late[1].exited_at) == (expiry, expiry + MICROSECOND)


def test_thirty_days_are_the_same_length_when_the_clocks_change(timeline: psycopg.Connection[Any]) -> None:
    before_summer_time = datetime.fromisoformat("2024-03-01T12:00:00+00:00")
    _, quiet = _stays(timeline, [QUIET], [_order(before_summer_time)])
    assert quiet.entered_at == before_summer_time + timedelta(days=30)


def test_simultaneous_events_make_one_stay_and_the_least_id_is_its_cause(
    timeline: psycopg.Connection[Any],
) -> None:
    rule = {"count": {"of": "order", "at_least": 3}}
    second = START + timedelta(days=1)
    stays = _stays(timeline, [rule], [_order(second, 9), _order(second, 7), _order(START, 8)])
    assert [(stay.stage, stay.cause_type, stay.cause_event_id[-1]) for stay in stays] == [
        ("s1", "start", "8"),
        ("s0", "event", "7"),
    ]


def test_an_event_is_named_as_the_cause_before_a_window_that_runs_out_at_the_same_instant(
    timeline: psycopg.Connection[Any],
) -> None:
    rules = [{"ever": "refund"}, QUIET]
    refund = Event(START + timedelta(days=30), "refund", "f" * 32)
    stays = _stays(timeline, rules, [_order(START), refund])
    assert [(stay.stage, stay.cause_type, stay.cause_event_type) for stay in stays] == [
        ("s2", "start", "order"),
        ("s0", "event", "refund"),
    ]


def test_life_begins_with_the_first_event_even_of_a_type_that_no_rule_names(
    timeline: psycopg.Connection[Any],
) -> None:
    seen = Event(START, "interaction", "a" * 32)
    stays = _stays(timeline, [QUIET], [_order(START + timedelta(days=2)), seen])
    assert (stays[0].entered_at, stays[0].cause_type, stays[0].cause_event_type) == (
        START,
        "start",
        "interaction",
    )
    assert [stay.stage for stay in stays] == ["s1", "s0"]
