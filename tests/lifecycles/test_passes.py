"""Several lifecycles in one pass over the timeline give what each of them gives alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycles import drawing
from lifecycles.test_exactness import SHIPPED, shopper
from lifecycles.warehouse import fill
from lifehouse.lifecycles.compile import query
from lifehouse.lifecycles.declaration import Lifecycle, load
from lifehouse.lifecycles.points import passes


def _rows(connection: psycopg.Connection[Any], declared: Sequence[Lifecycle]) -> list[tuple[Any, ...]]:
    found = connection.execute(query(declared, "customer_events").encode()).fetchall()
    return sorted(found, key=lambda row: (row[:2], row[4]))


def _alone(connection: psycopg.Connection[Any], declared: Sequence[Lifecycle]) -> list[tuple[Any, ...]]:
    found = [row for each in declared for row in _rows(connection, [each])]
    return sorted(found, key=lambda row: (row[:2], row[4]))


@settings(deadline=None, derandomize=True, max_examples=80)
@given(drawn=st.lists(drawing.lifecycles, min_size=2, max_size=4), seed=st.integers(0, 2**32))
def test_drawn_lifecycles_that_share_events_and_windows(
    timeline: psycopg.Connection[Any], drawn: list[dict[str, Any]], seed: int
) -> None:
    dice = random.Random(seed)
    fill(timeline, {f"c{number}": drawing.regular(dice) for number in range(12)})
    declared = [
        Lifecycle.model_validate({**each, "lifecycle": f"drawn_{number}"})
        for number, each in enumerate(drawn)
    ]
    assert _rows(timeline, declared) == _alone(timeline, declared)


def test_all_that_ship(timeline: psycopg.Connection[Any]) -> None:
    fill(timeline, {f"c{number}": shopper(random.Random(number)) for number in range(300)})
    declared = [load(path) for path in SHIPPED]
    (one,) = passes(declared)
    assert _rows(timeline, one.lifecycles) == _alone(timeline, declared)


def test_more_than_one_integer_holds_are_several_passes_that_hold_each_lifecycle_once() -> None:
    many = [load(SHIPPED[0]).model_copy(update={"lifecycle": f"l{number}"}) for number in range(50)]
    found = passes(many)
    assert [each for points in found for each in points.lifecycles] == many
    assert len(found) == 3
    assert all(sum(points.bits) < 2**62 for points in found)
    assert passes([]) == []
