"""What `lifehouse plan` tells before anything is sent: fields, rows, calls, time; nothing personal."""

from __future__ import annotations

import pytest
from fault_receiver import Receiver
from typer.testing import CliRunner
from world import World

from lifehouse.activation.declaration import find_sync
from lifehouse.activation.preview import Preview, preview
from lifehouse.cli.app import build


def look(world: World) -> Preview:
    return preview(world.ctx, find_sync(world.ctx.project, "push"))


def test_a_plan_tells_which_fields_change_and_how_long_it_takes(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(250)
    first = look(world)
    assert (first.changed, first.others, first.plan.batches) == ({}, 0, 3)
    assert first.estimate.seconds is None
    assert "no earlier run tells" in first.estimate.basis
    assert [(one.action, one.customer_id, one.key_shape) for one in first.examples] == [
        ("add", f"c000{number}", "a9999@aaaaaaa.aaa") for number in (1, 2, 3)
    ]
    receiver.delay = 0.05
    world.sync()

    world.sql("update marts.customers set status_stage = 'loyal' where customer_id <= 'c0120'")
    world.sql("update marts.customers set first_name = null where customer_id <= 'c0002'")
    world.leave(["c0249"])
    second = look(world)
    assert (second.changed, second.others) == ({"stage": 120, "name": 2}, 0)
    assert [(one.action, one.customer_id, one.fields) for one in second.examples] == [
        ("change", "c0001", ("name", "stage")),
        ("change", "c0002", ("name", "stage")),
        ("change", "c0003", ("stage",)),
        ("remove", "c0249", ()),
    ]
    assert second.estimate.seconds is not None
    assert second.estimate.seconds >= 2 * 0.05 / 8
    assert "measured in the last 3 of earlier runs, 8 at once" in second.estimate.basis
    assert len(receiver.requests) == 3, "a plan called"

    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(world.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(world.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", world.ctx.warehouse.url)
    shown = CliRunner().invoke(build(), ["plan", "push"], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "fields that change: stage in 120, name in 2" in " ".join(shown.output.split())
    assert not any(personal in shown.output for personal in ("c0001@", "Name 1", "loyal"))


def test_a_rate_limit_that_is_slower_than_the_answers_is_what_counts(world: World) -> None:
    world.people(250)
    world.declare(sending={"per_second": 2})
    assert look(world).estimate.seconds == 1.5
    world.sync()
    world.sql("update marts.customers set status_stage = 'loyal'")
    told = look(world).estimate
    assert (told.seconds, told.basis) == (1.5, "2 calls a second are allowed")


def test_another_mapping_is_told_apart_from_a_change(world: World) -> None:
    world.people(3)
    world.sync()
    world.declare(fields={"name": "first_name", "phase": "status_stage"})
    world.sql("update marts.customers set first_name = 'Anna'")
    told = look(world)
    assert (told.plan.changes, told.changed, told.others) == (3, {}, 3)
