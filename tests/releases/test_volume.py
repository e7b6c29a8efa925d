"""A mart may grow as its input grew, and not much more; it may hardly shrink."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.run import Run
from lifehouse.releases.suites import files, load


def bounds(ctx: Any, table: str, **facts: Any) -> tuple[int, int, str] | None:
    """The least and the most rows that the suite allows, and how severe it is about it."""
    suite = load(next(path for path in files(ctx) if path.stem == "volume"))
    found = suite.expectations(Candidate(cast(Run, SimpleNamespace(slot="blue")), rows={}, **facts), table)
    return (found[0].least, found[0].most, found[0].severity) if found else None


def test_the_first_release_has_no_bound(ctx: Any) -> None:
    assert bounds(ctx, "orders") is None


def test_on_a_quiet_night_doubled_rows_and_a_tenth_lost_are_out_of_bounds(ctx: Any) -> None:
    least, most, severity = bounds(ctx, "orders", served_rows={"orders": 10_000}, growth=1.003) or (0, 0, "")
    assert (least, severity) == (9_000, "critical")
    assert 10_000 < most < 20_000


def test_a_catch_up_of_a_year_may_swell_as_its_input(ctx: Any) -> None:
    _, most, _ = bounds(ctx, "orders", served_rows={"orders": 1_000}, growth=30) or (0, 0, "")
    assert most >= 30_000


def test_a_small_mart_may_change_by_a_hundred_rows(ctx: Any) -> None:
    assert bounds(ctx, "segments", served_rows={"segments": 8}) == (0, 108, "warning")


def test_a_run_that_is_not_comparable_only_warns(ctx: Any) -> None:
    found = bounds(ctx, "orders", served_rows={"orders": 1000}, is_comparable=False)
    assert found is not None
    assert found[2] == "warning"


@pytest.mark.parametrize("growth", [0.5, 0.9])
def test_a_load_taken_back_may_shrink_a_mart_as_its_input(ctx: Any, growth: float) -> None:
    least, _, _ = bounds(ctx, "orders", served_rows={"orders": 10_000}, growth=growth) or (0, 0, "")
    assert least == int(10_000 * growth * 0.9)
