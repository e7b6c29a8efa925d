"""Whatever arrives in whatever night, the tables that the nights keep are those of one build, and of the naive walk."""

from __future__ import annotations

import random
from typing import Any

import psycopg
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycles import drawing, reference
from lifecycles.lives import Lives, Record
from lifecycles.nightly import Nightly, Rows
from lifecycles.reference import Event
from lifecycles.test_exactness import SHIPPED, shopper
from lifehouse.lifecycles.declaration import Lifecycle
from lifehouse.lifecycles.recorded import PREFIX, Pipelines, Recorded

PIPELINES: Pipelines = {"sales": Recorded.model_validate({"stages": ["lead", "won"]})}
_QUIET = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _expected(name: str, declared: list[dict[str, Any]], timelines: dict[str, list[Event]]) -> Rows:
    """The rows of all declared lifecycles, or of all recorded ones, by the naive walk."""
    order: dict[tuple[str, str], int] = {("recorded_sales", "lead"): 1, ("recorded_sales", "won"): 2}
    for one in declared:
        order |= {(one["lifecycle"], stage["stage"]): n for n, stage in enumerate(one["stages"], start=1)}
    rows: Rows = []
    for customer, events in timelines.items():
        lives = {one["lifecycle"]: reference.history(one, events) for one in declared}
        for lifecycle, stays in (reference.recorded(events) if name == PREFIX else lives).items():
            for stay in stays:
                entered = (stay.stage, order.get((lifecycle, stay.stage)), stay.entered_at, stay.exited_at)
                cause = (stay.cause_type, stay.cause_event_type, stay.cause_event_id, stay.window_days)
                rows.append((customer, lifecycle, *entered, *cause))
    return sorted(rows, key=lambda row: (row[0], row[1], row[4]))


def _nightly(timeline: psycopg.Connection[Any], declared: list[dict[str, Any]]) -> Nightly:
    return Nightly(
        timeline, {"declared": [Lifecycle.model_validate(one) for one in declared], PREFIX: PIPELINES}
    )


def _hold(nightly: Nightly, lives: Lives, declared: list[dict[str, Any]]) -> None:
    for name in nightly.lifecycles:
        kept = nightly.kept(name)
        assert kept == nightly.rebuilt(name), name
        assert kept == _expected(name, declared, lives.timelines()), name


@settings(_QUIET, max_examples=150)
@given(
    drawn=st.lists(drawing.lifecycles, min_size=1, max_size=2),
    customers=drawing.customers,
    seed=st.integers(0, 2**32),
)
def test_nights_in_any_order_with_merges_splits_and_corrections_agree_with_one_build(
    timeline: psycopg.Connection[Any], drawn: list[dict[str, Any]], customers: list[list[Event]], seed: int
) -> None:
    declared = [{**one, "lifecycle": f"drawn_{number}"} for number, one in enumerate(drawn)]
    lives = Lives(
        random.Random(seed),
        [
            Record(f"{person}-{number}", f"p{person}", event)
            for person, events in enumerate(customers)
            for number, event in enumerate(events)
        ],
    )
    nightly = _nightly(timeline, declared)
    for _ in range(4):
        arriving, gone, changed = lives.night()
        nightly.night(arriving, gone, lives.owner, changed)
        _hold(nightly, lives, declared)


def test_shoppers_whose_records_come_in_five_nights_agree_in_every_shipped_lifecycle(
    timeline: psycopg.Connection[Any],
) -> None:
    dice = random.Random(7)
    records = [
        Record(f"{person}-{number}", f"p{person}", event)
        for person in range(150)
        for number, event in enumerate(shopper(random.Random(person)))
    ]
    lives = Lives(dice, records)
    declared = [reference.without_names(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in SHIPPED]
    nightly = _nightly(timeline, declared)
    for night in range(5):
        arriving, gone, changed = lives.night()
        before = nightly.transaction()
        nightly.night(arriving, gone, lives.owner, changed)
        assert all(nightly.written(name, before) <= changed for name in nightly.lifecycles)
        if night < 4:
            assert all(nightly.kept(name) == nightly.rebuilt(name) for name in nightly.lifecycles)
    assert len(lives.records) > len(records) / 2
    assert 0 < len(set(lives.owner.values())) < lives.customers, "customers merged and split on the way"
    _hold(nightly, lives, declared)
