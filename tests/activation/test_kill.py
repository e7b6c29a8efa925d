"""Killed at any step and started again: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from fault_receiver import TOKEN, Receiver
from world import World

from lifehouse.activation.steps import Step

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


def test_an_unkilled_process_needs_nothing_but_the_environment(world: World, receiver: Receiver) -> None:
    people = world.people(3)
    assert killed_at(world, "") == 0
    assert receiver.keys("push") == set(people)
