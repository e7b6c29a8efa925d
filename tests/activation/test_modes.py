"""What the modes of a sync promise about those who leave, change and come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_receiver import Receiver
from simulated import Simulated
from vendors import VENDORS
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import catalog
from lifehouse.errors import ConfigError


def test_upsert_leaves_those_who_left_and_removes_those_who_may_not_be_there(
    world: World, receiver: Receiver
) -> None:
    world.declare(mode="upsert")
    keys = set(world.people(4))
    world.sync()
    world.leave(["c0001", "c0002"])
    world.sql("update marts.customers set first_name = 'Anna' where customer_id in ('c0001', 'c0003')")
    done = world.sync()
    assert (done.changes, done.removes) == (1, 0)
    assert receiver.keys("push") == keys
    assert receiver.held["push"]["c0001@example.com"]["name"] == "Name 1"
    assert receiver.held["push"]["c0003@example.com"]["name"] == "Anna"
    world.consent("c0002", "withdrawn")  # left before
    world.consent("c0004", "withdrawn")
    assert world.sync().removes == 2
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}
    world.sql("delete from marts.customers where customer_id = 'c0001'")
    assert world.sync().removes == 1
    assert world.sync().calls == 0


def test_append_sends_everybody_once(world: World, receiver: Receiver) -> None:
    world.declare(mode="append")
    world.people(3)
    assert world.sync().adds == 3
    world.leave(["c0001"])
    world.sql("update marts.customers set first_name = 'Anna'")
    assert world.sync().calls == 0
    world.join(["c0001"])
    world.consent("c0002", "withdrawn")
    assert world.sync().calls == 0
    assert len(receiver.requests) == 1


UPDATING = [
    vendor for vendor in VENDORS if (declared := catalog.find(vendor.name, Path())) and declared.update
]


@pytest.mark.parametrize("kind", UPDATING, ids=lambda kind: kind.name)
def test_update_creates_nobody(world: World, kind: type[Simulated]) -> None:
    world.people(3)
    with kind() as vendor:
        world.connection = PlatformConnection(vendor.url, vendor.login, vendor.secret, vendor.extra)
        world.declare(
            platform=vendor.name,
            mode="update",
            options=vendor.options,
            fields=vendor.fields,
            sending={"per_second": 500},
        )
        vendor.take("c0002@example.com", {})
        vendor.take("somebody@example.com", {})
        vendor.created.clear()
        done = world.sync()
        assert (done.adds, done.changes, done.confirmed, done.refused) == (0, 3, 1, 2)
        assert vendor.people.keys() == {"c0002@example.com", "somebody@example.com"}
        assert "Name 2" in str(vendor.people["c0002@example.com"])
        assert vendor.people["somebody@example.com"] == {}
        assert vendor.members == {"c0002@example.com"}
        assert vendor.created == []
        vendor.take("c0001@example.com", {})
        assert world.sync(only_failed=True).confirmed == 1
        assert vendor.members == {"c0001@example.com", "c0002@example.com"}


def test_a_platform_that_would_create_is_not_asked_to_update(world: World, tmp_path: Path) -> None:
    world.declare(mode="update")
    with pytest.raises(
        ConfigError, match=r"push.yml:\d+: mode: webhook cannot update without creating; use upsert"
    ):
        world.sync()


def test_a_stage_that_only_goes_forward_keeps_what_was_last_confirmed(
    world: World, receiver: Receiver
) -> None:
    world.declare(forward_only={"field": "stage", "lifecycle": "status"})
    world.people(3)
    world.sync()
    receiver.refuse = lambda action, key, fields: "no" if key.startswith("c0003") else None
    world.sql("update marts.customers set status_stage = 'loyal'")
    world.sync()
    receiver.refuse = lambda action, key, fields: None
    world.sql("update marts.customers set status_stage = 'new' where customer_id <> 'c0002'")
    world.sql("update marts.customers set status_stage = null where customer_id = 'c0002'")
    assert world.sync().calls == 0  # of c0003 'active' was confirmed last, and is what it has
    world.sql("update marts.customers set first_name = 'Anna'")
    assert world.sync().changes == 3
    held = receiver.held["push"]
    assert [held[f"c000{n}@example.com"]["stage"] for n in (1, 2, 3)] == ["loyal", "loyal", "active"]
    assert {fields["name"] for fields in held.values()} == {"Anna"}
    world.declare()
    world.sync()
    assert held["c0001@example.com"]["stage"] == "new"
    world.declare(forward_only={"field": "stage", "lifecycle": "staus"})
    with pytest.raises(ConfigError, match="there is no lifecycle 'staus'; did you mean 'status'"):
        world.sync()
    world.declare(forward_only={"field": "stagee", "lifecycle": "status"})
    with pytest.raises(ConfigError, match="'stagee' is none of the fields; did you mean 'stage'"):
        world.sync()
