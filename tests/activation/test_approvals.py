"""A person lets a sync run on although a guard has tripped: once, and no further than they saw."""

from __future__ import annotations

import pytest
from fault_receiver import Fault, Receiver
from typer.testing import CliRunner
from world import World

from lifehouse.activation.approvals import approve, ask
from lifehouse.activation.declaration import find_sync
from lifehouse.activation.plan import plan
from lifehouse.cli.app import build
from lifehouse.errors import GuardTripped, LifehouseError, PlatformError, SyncRefused

GUARDS = {"ignore_below": 10, "max_shrink": 0.5, "max_refused": 1.0}


@pytest.fixture
def shrunk(world: World) -> World:
    """Twenty are held, and twelve of them have left."""
    world.people(20)
    world.declare(guards=GUARDS)
    world.sync()
    world.leave([f"c{number:04d}" for number in range(1, 13)])
    return world


def say_yes(world: World, *, by: str = "ann") -> None:
    asked = ask(world.ctx, find_sync(world.ctx.project, "push"), plan(world.ctx, "push"))
    approve(world.ctx, asked.approval_id, by=by, reason="the campaign is over")


def stopped(world: World, words: str) -> None:
    with pytest.raises(GuardTripped, match=words):
        world.sync()


def test_an_approval_lets_one_run_pass_and_is_kept_with_its_author(shrunk: World, receiver: Receiver) -> None:
    stopped(shrunk, r"by more than 50%.*if that is meant: `lifehouse sync approve push --reason")
    say_yes(shrunk)
    assert shrunk.sync().removes == 12
    assert len(receiver.keys("push")) == 8
    shrunk.join([f"c{number:04d}" for number in range(1, 20)])
    shrunk.declare(guards={**GUARDS, "ignore_below": 1})
    stopped(shrunk, r"must not grow.*the approval by ann \(.* UTC\) was for run 3 alone")
    [kept] = shrunk.ctx.warehouse.rows(
        "select approved_by, reason, used_by, guards from activation.approvals"
    )
    assert (kept["approved_by"], kept["reason"], kept["used_by"]) == ("ann", "the campaign is over", 3)
    assert kept["guards"] == {"max_shrink": pytest.approx(0.6)}
    found = shrunk.ctx.warehouse.rows(
        "select observed from control.quality_results where expectation = 'max_shrink' and not success order by result_id"
    )
    assert [row["observed"].partition("; ")[2] for row in found] == ["", "approved by ann"]


def test_an_approval_does_not_count_once_there_is_another_release_or_a_worse_plan(
    shrunk: World, receiver: Receiver
) -> None:
    before = len(receiver.requests)
    say_yes(shrunk)
    shrunk.publish("2017-12-30")
    stopped(shrunk, "was for release 1, this is 2")
    say_yes(shrunk)
    shrunk.leave(["c0013"])
    stopped(shrunk, r"the plan has become worse \(max_shrink, 13 removes instead of 12\)")
    shrunk.join(["c0013"])
    shrunk.declare(guards={**GUARDS, "min_size": 19})
    stopped(shrunk, "does not count: the sync's file was changed since")
    shrunk.declare(guards=GUARDS)
    assert len(receiver.requests) == before
    shrunk.join(["c0012"])  # better than what was approved
    assert shrunk.sync().removes == 11


def test_a_run_that_was_cut_short_hands_its_approval_to_the_one_that_finishes(
    shrunk: World, receiver: Receiver
) -> None:
    shrunk.declare(guards=GUARDS, sending={"backoff": "1ms", "attempts": 1, "batch_size": 4, "in_flight": 1})
    say_yes(shrunk)
    receiver.faults.extend([Fault(200, applied=True), Fault(500), Fault(500), Fault(500)])
    with pytest.raises(PlatformError):
        shrunk.sync()
    receiver.faults.clear()
    shrunk.sync()
    assert len(receiver.keys("push")) == 8
    assert shrunk.sync().calls == 0


def test_what_no_guard_stops_and_what_is_paused_cannot_be_approved(world: World) -> None:
    world.people(3)
    with pytest.raises(LifehouseError, match="nothing to approve"):
        say_yes(world)
    world.publish(paused=True)
    with pytest.raises(SyncRefused, match="syncs must not be paused"):
        say_yes(world)
    assert world.ctx.warehouse.value("select count(*) from activation.approvals") == 0


def test_the_command_line_approves_runs_and_tells(shrunk: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(shrunk.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(shrunk.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", shrunk.ctx.warehouse.url)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv(
        "AIRFLOW_CONN_RECEIVER",
        f'{{"conn_type": "http", "host": "{shrunk.connection.url}", "password": "{shrunk.connection.secret}"}}',
    )

    def lifehouse(*words: str) -> str:
        shown = CliRunner().invoke(build(), ["sync", *words], catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return shown.output

    shown = lifehouse("approve", "push", "--reason", "the season ended", "--run")
    assert "it would go from 20 to 8" in shown
    assert "12 confirmed" in shown
    assert "max_shrink approved by" in (log := lifehouse("log", "push"))
    assert "the season ended" in log
