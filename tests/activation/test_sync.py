"""What reaches a platform, and what does not."""

from __future__ import annotations

import pytest
from fault_receiver import Receiver
from world import World

from lifehouse.activation import run
from lifehouse.activation.plan import plan
from lifehouse.activation.steps import Step
from lifehouse.errors import SyncRefused
from lifehouse.privacy.hashing import hashed


def test_a_platform_gets_the_consented_members_with_their_fields(world: World, receiver: Receiver) -> None:
    people = world.people(250)
    world.consent("c0002", "withdrawn")
    world.sql("update marts.customers set email = null where customer_id = 'c0003'")
    result = world.sync()
    assert receiver.keys("push") == set(people) - {"c0002@example.com", "c0003@example.com"}
    assert receiver.held["push"]["c0001@example.com"] == {"name": "Name 1", "stage": "active", "revenue": 1}
    assert (result.adds, result.confirmed, result.without_consent, result.calls) == (248, 248, 1, 3)
    assert {request.path for request in receiver.requests} == {"/batch"}


def test_a_second_sync_of_the_same_release_calls_nobody(world: World, receiver: Receiver) -> None:
    world.people(10)
    world.sync()
    before = len(receiver.requests)
    result = world.sync()
    assert len(receiver.requests) == before
    assert (result.calls, result.adds, result.changes, result.removes) == (0, 0, 0, 0)


def test_only_what_changed_is_sent(world: World, receiver: Receiver) -> None:
    world.people(20)
    world.sync()
    receiver.requests.clear()
    world.sql("update marts.customers set status_stage = 'loyal' where customer_id = 'c0005'")
    world.sql("update marts.customers set consent_email = false where customer_id = 'c0006'")  # not mapped
    world.leave(["c0007"])
    world.publish("2017-12-30")
    result = world.sync()
    assert (result.adds, result.changes, result.removes) == (0, 1, 1)
    [request] = receiver.requests
    assert [row["key"] for _, row in request.rows] == ["c0005@example.com", "c0007@example.com"]
    assert "c0007@example.com" not in receiver.keys("push")


def test_one_who_withdrew_is_removed(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.sync()
    world.consent("c0002", "withdrawn")
    assert world.sync().removes == 1
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}


def test_consent_withdrawn_between_plan_and_send_keeps_the_row_back(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(3)
    monkeypatch.setattr(
        run, "checkpoint", lambda step: step == Step.PLANNED and world.consent("c0002", "withdrawn")
    )
    result = world.sync()
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}
    assert (result.confirmed, result.withdrawn) == (2, 1)
    assert world.sync().calls == 0


def test_a_rollback_while_sending_stops_the_sync(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(3)
    monkeypatch.setattr(run, "checkpoint", lambda step: step == Step.PLANNED and world.publish(paused=True))
    with pytest.raises(SyncRefused, match="rolled back"):
        world.sync()
    assert not receiver.requests


def test_it_removes_only_what_it_once_added(world: World, receiver: Receiver) -> None:
    receiver.held["push"] = {"own@platform.example": {}}
    world.people(1)
    world.sync()
    world.leave(["c0001"])
    world.sync()
    assert receiver.keys("push") == {"own@platform.example"}


def test_an_address_that_two_members_share_goes_out_once_and_only_if_both_consented(
    world: World, receiver: Receiver
) -> None:
    world.people(3)
    world.sql(
        "update marts.customers set email = 'family@example.com' where customer_id in ('c0001', 'c0002')"
    )
    world.sync()
    assert receiver.held["push"]["family@example.com"]["name"] == "Name 1"
    world.consent("c0002", "withdrawn")
    world.sync()
    assert receiver.keys("push") == {"c0003@example.com"}


def test_no_consent_is_asked_where_the_sync_says_why(world: World, receiver: Receiver) -> None:
    world.people(2)
    world.sql("delete from marts.consents")
    world.declare(consent="none", reason_without_consent="invoices: performance of a contract")
    assert world.sync().confirmed == 2


def test_a_plan_counts_and_sends_nothing(world: World, receiver: Receiver) -> None:
    world.people(120)
    world.consent("c0002", "withdrawn")
    proposed = plan(world.ctx, "push")
    assert (proposed.adds, proposed.changes, proposed.removes, proposed.calls) == (119, 0, 0, 2)
    assert (proposed.desired, proposed.acknowledged, proposed.without_consent) == (119, 0, 1)
    assert not receiver.requests
    assert world.ctx.warehouse.value("select count(*) from activation.sync_runs") == 0


def test_two_syncs_to_one_account_do_not_touch_each_other(world: World, receiver: Receiver) -> None:
    world.people(5)
    world.join(["c0001", "c0002"], "status_lost")
    world.declare("win_back", segment="status_lost")
    world.sync()
    world.sync("win_back")
    world.leave(["c0001"])
    world.sync("win_back")
    assert receiver.keys("win_back") == {"c0002@example.com"}
    assert "c0001@example.com" in receiver.keys("push")


def test_rows_travel_in_parallel(world: World, receiver: Receiver) -> None:
    world.people(60)
    world.declare(sending={"batch_size": 5, "in_flight": 4})
    receiver.delay = 0.05
    result = world.sync()
    assert receiver.most_at_once == 4
    assert result.calls == 12
    calls = world.ctx.warehouse.rows(
        "select outcome, count(*) as n, sum(rows) as rows from activation.calls group by outcome"
    )
    assert calls == [{"outcome": "settled", "n": 12, "rows": 60}]


def test_the_outbox_keeps_no_fields_of_settled_rows(world: World) -> None:
    world.people(3)
    world.sync()
    assert world.ctx.warehouse.value("select count(*) from activation.outbox where fields is not null") == 0
    run = world.ctx.warehouse.rows("select * from activation.sync_runs")[0]
    assert (run["status"], run["confirmed"], run["desired"], run["calls"]) == ("done", 3, 3, 1)


def test_a_platform_that_gets_hashes_knows_nobody_by_an_address(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.sql("update marts.customers set email = 'no address' where customer_id = 'c0003'")
    world.declare(
        key={"column": "email", "hash": "sha256", "rules": "google"},
        fields={"fn": {"column": "first_name", "hash": "sha256"}, "stage": "status_stage"},
    )
    result = world.sync()
    known = {hashed(f"c000{n}@example.com", "email") for n in (1, 2)}
    assert receiver.keys("push") == known
    assert receiver.held["push"][hashed("c0001@example.com", "email")]["fn"] == hashed("Name 1", "name")
    assert (result.confirmed, world.sync().calls) == (2, 0)
    for table in ("records", "outbox"):
        kept = world.ctx.warehouse.rows(f"select to_jsonb(t)::text as kept from activation.{table} as t")
        assert not any("example.com" in row["kept"] or "Name 1" in row["kept"] for row in kept)
    world.consent("c0002", "withdrawn")
    assert world.sync().removes == 1
    assert receiver.keys("push") == {hashed("c0001@example.com", "email")}
