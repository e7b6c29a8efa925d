"""Killed at any step and started again: nothing lost, nothing doubled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from appending import Events, declare_events
from fault_receiver import TOKEN, Receiver
from simulated import Simulated
from vendors import Hubspot
from world import World

from lifehouse.activation import run
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.plan import plan
from lifehouse.activation.steps import Step
from lifehouse.context import Context

SYNC = "from lifehouse.context import Context; from lifehouse.activation.run import sync; sync(Context.current(), 'push')"


def killed_at(world: World, step: str) -> int:
    """The return code of a process that syncs and is killed at ``step``."""
    environment = {
        **os.environ,
        "LIFEHOUSE_CRASH_AT": step,
        "LIFEHOUSE_HOME": str(world.ctx.home.path),
        "LIFEHOUSE_PROJECT": str(world.ctx.project.root),
        "LIFEHOUSE_WAREHOUSE_URL": world.ctx.warehouse.url,
        "AIRFLOW_CONN_RECEIVER": json.dumps(
            {"conn_type": "http", "host": world.connection.url, "password": TOKEN}
        ),
    }
    return subprocess.run([sys.executable, "-c", SYNC], env=environment, timeout=60, check=False).returncode


def killed_in_a_fork(world: World, step: Step) -> bool:
    """Sync in a fork of this process; whether it was killed, at ``step``."""
    child = os.fork()
    if child == 0:
        os.environ["LIFEHOUSE_CRASH_AT"] = step
        with contextlib.suppress(BaseException):
            world.sync()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("step", Step)
def test_a_sync_killed_at_any_step_is_completed_by_the_next(
    world: World, receiver: Receiver, step: Step
) -> None:
    people = world.people(50)
    world.declare(sending={"batch_size": 10, "in_flight": 2})
    receiver.held["push"] = {"own@platform.example": {}}
    assert killed_at(world, step) == -9
    world.leave(["c0001"])
    world.sql("update marts.customers set status_stage = 'loyal' where customer_id = 'c0003'")
    world.sync()
    assert receiver.keys("push") == {"own@platform.example", *people[1:]}
    assert receiver.held["push"][people[2]]["stage"] == "loyal"
    assert (receiver.doubled, world.open_rows()) == (0, 0)
    assert world.sync().calls == 0
    runs = world.ctx.warehouse.rows("select status, message from activation.sync_runs order by sync_run_id")
    assert [run["status"] for run in runs] == ["failed", "done", "done"]
    assert runs[0]["message"] == "killed before it ended"


def test_what_was_settled_before_the_kill_is_known_to_whoever_asks_first(
    world: World, receiver: Receiver
) -> None:
    world.people(30)
    world.declare(sending={"batch_size": 10, "in_flight": 1})
    assert killed_in_a_fork(world, Step.SETTLED)
    count = "select coalesce(sum(cardinality(record_keys)), 0) from activation.batches where "
    settled = world.ctx.warehouse.value(f"{count} status = 'settled' and to_fold")
    open_there = world.ctx.warehouse.value(f"{count} status = 'sent'")
    assert settled > 0
    assert world.ctx.warehouse.value("select count(*) from activation.in_flight") == settled + open_there
    found = plan(world.ctx, "push")
    assert (found.acknowledged, found.in_flight, found.adds) == (
        settled,
        open_there,
        30 - settled - open_there,
    )
    assert world.ctx.warehouse.value("select count(*) from activation.batches where to_fold") == 0
    world.sync()
    assert (len(receiver.keys("push")), receiver.doubled) == (30, 0)


def test_a_row_that_was_kept_back_stays_so_when_its_batch_is_taken_over(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(3)
    with monkeypatch.context() as patched:
        patched.setattr(
            run, "checkpoint", lambda step: step == Step.PLANNED and world.consent("c0002", "withdrawn")
        )
        assert killed_in_a_fork(world, Step.ANSWERED)
    done = world.sync()
    assert (done.confirmed, receiver.keys("push")) == (2, {"c0001@example.com", "c0003@example.com"})
    assert [len(request.rows) for request in receiver.requests] == [2, 2]
    assert len({request.key for request in receiver.requests}) == 1, "another Idempotency-Key"


def test_an_unkilled_process_needs_nothing_but_the_environment(world: World, receiver: Receiver) -> None:
    people = world.people(3)
    assert killed_at(world, "") == 0
    assert receiver.keys("push") == set(people)


def founded(make_context: Callable[..., Context], root: Path, vendor: Simulated) -> World:
    return World.founded(make_context, root, PlatformConnection(vendor.url, vendor.login, vendor.secret))


def test_a_declared_platform_is_completed_after_a_kill_at_each_step(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with Hubspot() as vendor:
        world = founded(make_context, tmp_path / "project", vendor)
        sending = {"batch_size": 5, "in_flight": 2, "per_second": 1000}
        world.declare(platform="hubspot", options=vendor.options, fields=vendor.fields, sending=sending)
        keys = world.people(12)
        vendor.take("own@platform.example", {}, member=True)
        vendor.created.clear()
        for number, step in enumerate(Step, 1):
            assert killed_in_a_fork(world, step), f"{step} was not reached"
            world.leave([f"c{number:04d}"])
            world.sql("update marts.customers set first_name = %s where customer_id > 'c0010'", step)
            world.sync()
            assert vendor.members == {"own@platform.example", *keys[number:]}
            assert vendor.people[keys[11]]["firstname"] == step
            assert (len(vendor.created), world.open_rows()) == (len(set(vendor.created)), 0)
            world.sql("update marts.customers set first_name = 'again'")


def test_an_append_only_platform_gets_at_most_one_batch_again_for_a_kill_and_the_run_says_so(
    make_context: Callable[..., Context], tmp_path: Path
) -> None:
    with Events() as vendor:
        world = founded(make_context, tmp_path / "project", vendor)
        declare_events(world, sending={"batch_size": 5, "in_flight": 8})
        keys = world.people(15 * len(Step))
        world.leave([key.split("@")[0] for key in keys])
        for number, step in enumerate(Step):
            mine = keys[15 * number : 15 * (number + 1)]
            world.join(key.split("@")[0] for key in mine)
            doubled = vendor.doubled
            assert killed_in_a_fork(world, step), f"{step} was not reached"
            world.sync()
            assert set(vendor.received) == set(keys[: 15 * (number + 1)]), "somebody was lost"
            [run] = world.ctx.warehouse.rows(
                "select repeated, message from activation.sync_runs order by sync_run_id desc limit 1"
            )
            assert vendor.doubled - doubled <= run["repeated"] <= 5
            assert (vendor.doubled > doubled) == (step in (Step.ANSWERED, Step.SETTLING))
            assert ("events is not keyed and may hold them twice" in (run["message"] or "")) == (
                run["repeated"] > 0
            )
        assert world.sync().calls == 0
