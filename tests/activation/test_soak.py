"""A short ``make soak``: killed at random instants under faults, nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from soak import soak, table

from lifehouse.context import Context


def test_syncs_killed_at_random_instants_under_faults_lose_and_double_nothing(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    figures = soak(make_context, tmp_path, kills=4, rows=800)
    told = table(figures)
    assert all(one.holds for one in figures), f"\n{told}"
    assert [one.kills for one in figures] == [4, 4, 4]
    assert sum(one.midway for one in figures) > 3, "hardly one was killed while it was sending"
    assert sum(one.faults for one in figures) > 3, "hardly a fault was met"
