"""Windows have names; a company sets its own in one place, in days or by the customer's rhythm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from lifecycles.drawing import START, lifecycle
from lifecycles.reference import Event
from lifecycles.warehouse import fill, histories
from lifehouse.errors import ConfigError
from lifehouse.lifecycles.declaration import Lifecycle, lifecycles
from lifehouse.lifecycles.points import Points
from lifehouse.project import Project

COMPANY = "company: Test\nreporting_currency: EUR\n"
RHYTHM = {"times": 3, "at_least": "20d", "at_most": "365d", "until_known": "180d"}


def _project(root: Path, windows: str = "") -> Project:
    (root / "lifehouse.yml").write_text(COMPANY + windows, encoding="utf-8")
    return Project(root)


def _status(project: Project) -> Lifecycle:
    return next(declared for declared in lifecycles(project) if declared.lifecycle == "status")


def test_a_companys_window_stands_in_the_rule_and_in_the_definition(tmp_path: Path) -> None:
    shipped = _status(_project(tmp_path))
    own = _status(_project(tmp_path, "windows: {status: {lost: 52w}}\n"))
    lost, later = (next(stage for stage in one.stages if stage.stage == "lost") for one in (shipped, own))
    assert "not bought for 180 days" in lost.definition
    assert "not bought for 52 weeks" in later.definition
    assert ("order", 364) in Points([own]).whose
    assert ("order", 180) not in {wait for wait, whose in Points([own]).whose.items() if whose.last}


def test_a_companys_window_may_follow_the_rhythm(tmp_path: Path) -> None:
    rhythm = "{times: 3, at_least: 60d, at_most: 365d, until_known: 180d}"
    own = _status(_project(tmp_path, f"windows: {{status: {{lost: {rhythm}}}}}\n"))
    lost = next(stage for stage in own.stages if stage.stage == "lost")
    assert "not bought for 3 times their usual gap (60 days to 365 days)" in lost.definition


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ("{status: {lots: 9d}}", "windows.status: unknown window 'lots'; did you mean 'lost'?"),
        ("{statis: {lost: 9d}}", "windows: unknown lifecycle 'statis'; did you mean 'status'?"),
        ("{status: {lost: 9}}", "lifehouse.yml: windows.status.lost: 9 is no window"),
    ],
)
def test_a_window_that_there_is_not_is_told(tmp_path: Path, windows: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        lifecycles(_project(tmp_path, f"windows: {windows}\n"))
    assert message in str(told.value)


def test_who_buys_weekly_is_lost_sooner_than_who_buys_every_quarter(
    timeline: psycopg.Connection[object],
) -> None:
    def lost_after(gaps: list[int]) -> list[int]:
        at, events = START, [Event(START, "order", f"{0:032x}")]
        for number, gap in enumerate(gaps, 1):
            at += timedelta(days=gap)
            events.append(Event(at, "order", f"{number:032x}"))
        fill(timeline, {"ann": events})
        quiet = {"since_last": {"of": "order", "at_least": RHYTHM}}
        stays = histories(timeline, Lifecycle.model_validate(lifecycle([quiet])))["ann"]
        return [stay.window_days or 0 for stay in stays if stay.stage == "s0"]

    assert lost_after([7, 7]) == [180]  # two gaps: the rhythm is not known yet
    assert lost_after([7, 7, 7]) == [21]
    assert lost_after([2, 3, 2]) == [20]  # never sooner than the least
    assert lost_after([90, 91, 92]) == [273]
    assert lost_after([178, 178, 178]) == [365]  # nor later than the most
    assert lost_after([19] * 3 + [7] * 10) == [21]  # the last ten gaps alone count
    assert lost_after([17] + [7] * 10) == [21]
