"""What `lifehouse sync log` and `lifehouse sync explain` tell, without a person's data."""

from __future__ import annotations

import pytest
from fault_receiver import Receiver
from typer.testing import CliRunner
from world import World

from lifehouse.activation import inspection
from lifehouse.activation.declaration import find_sync
from lifehouse.cli.app import build
from lifehouse.errors import LifehouseError


def told(world: World, customer: str) -> str:
    found = inspection.standing(world.ctx, find_sync(world.ctx.project, "push"), customer)
    return "; ".join(found.sentences)


def test_each_customer_is_told_why_they_are_in_or_out(world: World, receiver: Receiver) -> None:
    world.declare(holdout={"share": 0.3, "salt": "s"})
    world.people(12)
    world.sql("update marts.customers set email = null where customer_id = 'c0001'")
    world.consent("c0002", "withdrawn")
    world.sql("insert into marts.customers (customer_id) values ('stranger')")
    receiver.refuse = lambda action, key, fields: (
        f"{key} is not accepted" if key.startswith("c0012") else None
    )
    assert "the next sync would add them" in "".join(told(world, f"c{n:04d}") for n in range(3, 13))
    world.sync()
    arms = dict(
        world.ctx.warehouse.connect().execute("select customer_id, arm from activation.holdouts").fetchall()
    )
    held_out = next(customer for customer, arm in arms.items() if arm == "holdout" and customer > "c0002")
    treated = next(
        customer for customer, arm in arms.items() if arm == "treatment" and "c0002" < customer < "c0012"
    )

    assert "is a member of champions in release 1; cannot be reached: has no usable email" in told(
        world, "c0001"
    )
    assert "is kept back: no consent to marketing by email; receiver holds nothing of them" in told(
        world, "c0002"
    )
    assert "is held out in the experiment push since 2" in told(world, held_out)
    assert "may be sent: consented to marketing by email; receiver holds them, confirmed 2" in told(
        world, treated
    )
    assert "nothing to do" in told(world, treated)
    assert "is no member of champions" in told(world, "stranger")
    if arms["c0012"] == "treatment":
        assert "; receiver refused to add them on 2" in told(world, "c0012")
        assert "@" not in told(world, "c0012")
    world.leave([treated])
    assert "is no member of champions in release 1; receiver holds them" in told(world, treated)
    assert "the next sync would remove them" in told(world, treated)
    with pytest.raises(LifehouseError, match="there is no customer 'nobody'"):
        told(world, "nobody")
    world.sql("insert into marts.customer_merges values ('twin', %s)", treated)
    with pytest.raises(LifehouseError, match=f"customer twin was merged into {treated}"):
        told(world, "twin")


def test_the_command_line_tells_runs_and_customers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(world.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(world.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", world.ctx.warehouse.url)

    def lifehouse(*words: str) -> str:
        shown = CliRunner().invoke(build(), ["sync", *words], catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return shown.output

    assert "has not run yet" in lifehouse("log", "push")
    world.people(3)
    monkeypatch.setenv(
        "AIRFLOW_CONN_RECEIVER",
        f'{{"conn_type": "http", "host": "{world.connection.url}", "password": "{world.connection.secret}"}}',
    )
    assert "3 confirmed" in lifehouse("push")
    assert "3 confirmed" not in lifehouse("run", "push")
    shown = lifehouse("log", "push")
    assert shown.count("done") == 2
    shown = lifehouse("explain", "push", "c0002")
    assert "receiver holds them" in shown
    assert "confirmed" in shown
    assert "@" not in shown
