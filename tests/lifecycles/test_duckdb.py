"""DuckDB reads the compiled SQL as Postgres does: drawn rules of every kind, against the same naive walk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycles import drawing, reference
from lifecycles.reference import Event, Interval
from lifecycles.test_exactness import QUIET
from lifehouse.build.project import DUCKDB
from lifehouse.lifecycles.compile import query
from lifehouse.lifecycles.declaration import Lifecycle


@pytest.fixture(scope="module")
def timeline() -> Iterator[Any]:
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, value in DUCKDB.items():
            connection.execute(f"set {name} = '{value}'")
        connection.execute(
            "create table customer_events (customer_id text, occurred_at timestamptz, event_type text, event_id text,"
            " amount decimal(38, 12), currency text, detail text, channel text, kind text)"
        )
        yield connection


def _histories(
    timeline: Any, declared: dict[str, Any], customers: Mapping[str, list[Event]]
) -> dict[str, list[Interval]]:
    timeline.execute("delete from customer_events")
    rows = [(customer, *astuple(event)) for customer, events in customers.items() for event in events]
    timeline.executemany("insert into customer_events values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    found: dict[str, list[Interval]] = {}
    statement = (
        "select customer_id, stage, entered_at, exited_at, cause_type, cause_event_type, cause_event_id, window_days"
        f" from ({query(Lifecycle.model_validate(declared), 'customer_events')}) order by all"
    )
    for customer, stage, entered_at, *rest in timeline.execute(statement).fetchall():
        found.setdefault(customer, []).append(Interval(stage, entered_at, *rest))
    return {customer: sorted(stays, key=lambda stay: stay.entered_at) for customer, stays in found.items()}


@settings(QUIET, max_examples=60)
@given(declared=drawing.lifecycles, customers=drawing.customers, shuffle=st.randoms(use_true_random=False))
def test_random_rules_on_random_customers_agree_with_the_naive_walk(
    timeline: Any, declared: dict[str, Any], customers: list[list[Event]], shuffle: random.Random
) -> None:
    by_name = {f"c{number}": events for number, events in enumerate(customers)}
    expected = {name: reference.history(declared, events) for name, events in by_name.items()}
    for events in by_name.values():
        shuffle.shuffle(events)
    assert _histories(timeline, declared, by_name) == expected


@settings(QUIET, max_examples=20)
@given(declared=drawing.meeting, seed=st.integers(0, 2**32))
def test_windows_that_meet_on_one_day_agree_with_the_naive_walk(
    timeline: Any, declared: dict[str, Any], seed: int
) -> None:
    dice = random.Random(seed)
    customers = {f"c{number}": drawing.regular(dice) for number in range(10)}
    expected = {name: reference.history(declared, events) for name, events in customers.items()}
    assert _histories(timeline, declared, customers) == expected
