"""What stops a sync before its first call."""

from __future__ import annotations

import pytest
from fault_receiver import Receiver
from world import World

from lifehouse.activation.plan import plan
from lifehouse.errors import ConfigError, SyncRefused


def refused(world: World, receiver: Receiver, words: str) -> None:
    before = len(receiver.requests)
    with pytest.raises(SyncRefused, match=words):
        world.sync()
    assert len(receiver.requests) == before
    assert world.open_rows() == 0


def test_nothing_is_sent_before_a_release_is_published(world: World, receiver: Receiver) -> None:
    world.sql("delete from control.published")
    refused(world, receiver, "nothing is published yet")


def test_a_rollback_pauses_the_syncs(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.publish(paused=True)
    refused(world, receiver, "syncs must not be paused, but a release was rolled back")
    world.publish()
    assert world.sync().confirmed == 3


def test_a_stale_release_is_not_sent(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.publish(age="4 days")
    refused(world, receiver, "at most 3 days old, but it was published 4 days ago")
    world.declare(guards={"max_age": "5d"})
    assert world.sync().confirmed == 3


def test_a_release_about_an_earlier_instant_is_not_sent(world: World, receiver: Receiver) -> None:
    world.people(3)
    world.publish("2017-12-31")
    world.publish("2017-12-30")
    refused(world, receiver, "it is as of 2017-12-30 00:00, and 2017-12-31 00:00 was published")
    world.declare(guards={"max_behind": "1d"})
    assert world.sync().confirmed == 3


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({"min_size": 11}, "champions must have at least 11 rows to hold, but it has 10"),
        ({"max_size": 9}, "at least 0 and at most 9 rows to hold, but it has 10"),
    ],
)
def test_a_segment_of_an_unexpected_size_is_not_sent(
    world: World, receiver: Receiver, guards: dict[str, int], words: str
) -> None:
    world.people(10)
    world.declare(guards=guards)
    refused(world, receiver, words)


def test_a_segment_that_shrank_or_grew_too_much_is_not_sent(world: World, receiver: Receiver) -> None:
    world.people(40)
    world.declare(guards={"ignore_below": 10, "max_shrink": 0.5, "max_growth": 1.0})
    world.sync()
    gone = [f"c{number:04d}" for number in range(1, 31)]
    world.leave(gone)
    refused(world, receiver, r"must not shrink by more than 50%, but it would go from 40 to 10 \(-75%\)")
    world.join(gone[:20])
    world.sync()
    world.leave([f"c{number:04d}" for number in range(16, 41)])
    world.sync()
    world.join([*gone, "c0031"])
    refused(world, receiver, r"must not grow by more than 100%, but it would go from 15 to 31 \(\+107%\)")


def test_findings_are_kept_with_the_other_gates(world: World) -> None:
    world.people(3)
    world.declare(guards={"min_size": 10})
    with pytest.raises(SyncRefused):
        world.sync()
    kept = world.ctx.warehouse.rows(
        "select expectation, success, subject, owner from control.quality_results where gate = 'push'"
    )
    assert [row["expectation"] for row in kept if not row["success"]] == ["min_size"]
    assert {(row["subject"], row["owner"]) for row in kept} == {("push", "crm-team")}
    [run] = world.ctx.warehouse.rows(
        "select status, desired, release_id, adds, message from activation.sync_runs"
    )
    assert (run["status"], run["desired"], run["adds"]) == ("refused", 3, 0)
    assert run["release_id"]
    assert "at least 10 rows" in run["message"]


def test_an_unknown_segment_or_column_is_named_with_the_nearest(world: World) -> None:
    world.declare(segment="champion")
    with pytest.raises(SyncRefused, match="has no segment 'champion'; did you mean 'champions'"):
        world.sync()
    world.declare(fields={"name": "frist_name"})
    with pytest.raises(
        ConfigError,
        match=r"fields\.name: marts.customers has no column 'frist_name'; did you mean 'first_name'",
    ):
        plan(world.ctx, "push")


def test_a_consent_source_that_went_missing_stops_the_sync_instead_of_emptying_the_platform(
    world: World, receiver: Receiver
) -> None:
    world.people(40)
    world.sql("delete from marts.consents where customer_id > 'c0030'")
    guards = {"ignore_below": 10, "max_shrink": None}
    world.declare(guards=guards)
    world.sync()
    world.sql("update marts.consents set status = 'withdrawn' where customer_id <= 'c0006'")
    assert world.sync().removes == 6
    world.sql("update marts.consents set status = 'withdrawn' where customer_id <= 'c0012'")
    words = r"consent must not fall by more than 20% at once, but it would go from 60.0% to 45.0%"
    refused(world, receiver, words)
    refused(world, receiver, words)  # what was stopped is not what the next one is judged against
    assert len(receiver.keys("push")) == 24
    world.declare(guards={**guards, "max_consent_drop": None})
    assert world.sync().removes == 6


def test_a_platform_that_refused_much_is_not_asked_again_before_somebody_looked(
    world: World, receiver: Receiver
) -> None:
    world.people(20)
    guards = {"ignore_below": 10, "max_refused": 1.0}
    world.declare(guards=guards)
    receiver.refuse = lambda action, key, fields: "no" if key < "c0012" else None
    world.sync()
    world.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0015'")
    refused(world, receiver, "refused more than 50% of the rows last time, but it refused 11 of 20")
    receiver.refuse = lambda action, key, fields: None
    assert world.sync(only_failed=True).confirmed == 11
    assert world.sync().changes == 1
    receiver.refuse = lambda action, key, fields: "no"
    world.sql("update marts.customers set first_name = 'Beth'")
    world.sync()
    world.declare(guards={**guards, "max_refused_before": None}, fields={"name": "status_stage"})
    assert world.sync().refused == 20
