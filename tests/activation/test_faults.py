"""Platforms that fail, each in its own way."""

from __future__ import annotations

import itertools
import logging
import time
from email.utils import formatdate

import pytest
from fault_receiver import Fault, Receiver
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.run import sync
from lifehouse.errors import PlatformError, SyncRefused

FAULTS = {
    "rate limit without Retry-After": Fault(429),
    "rate limit with seconds": Fault(429, {"Retry-After": "0.2"}),
    "rate limit with a date": Fault(429, {"Retry-After": formatdate(time.time() - 1, usegmt=True)}),
    "server error": Fault(500),
    "unavailable with seconds": Fault(503, {"Retry-After": "0.1"}),
    "reset before": Fault(reset=True),
    "reset after it was applied": Fault(reset=True, applied=True),
    "error after it was applied": Fault(502, applied=True),
    "an answer that is no JSON": Fault(200, body="<html>maintenance</html>"),
    "an answer that leaves rows out": Fault(200, body='{"results": []}'),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_passing_fault_costs_a_call_and_nothing_else(
    world: World, receiver: Receiver, fault: Fault
) -> None:
    people = world.people(10)
    receiver.faults.append(fault)
    result = world.sync()
    assert receiver.keys("push") == set(people)
    assert (result.confirmed, result.calls, receiver.doubled) == (10, 2, 0)
    first, second = receiver.requests
    assert first.key == second.key
    assert first.body == second.body


def test_a_wait_that_the_platform_asks_for_holds_for_all_calls(world: World, receiver: Receiver) -> None:
    world.people(40)
    world.declare(sending={"batch_size": 5, "in_flight": 4, "backoff": "10ms"})
    receiver.faults.append(Fault(429, {"Retry-After": "0.5"}, delay=0.05))
    receiver.delay = 0.05
    started = time.monotonic()
    world.sync()
    assert time.monotonic() - started > 0.5
    at = [
        call["at"]
        for call in world.ctx.warehouse.rows("select started_at as at from activation.calls order by 1")
    ]
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(at)]
    assert max(gaps) > 0.35


def test_rate_limits_do_not_use_up_the_attempts(world: World, receiver: Receiver) -> None:
    world.people(1)
    receiver.faults.extend([Fault(429, {"Retry-After": "0"})] * 10)
    assert world.sync().confirmed == 1


def test_a_wait_longer_than_we_have_ends_the_sync(world: World, receiver: Receiver) -> None:
    world.people(1)
    receiver.faults.append(Fault(429, {"Retry-After": "86400"}))
    with pytest.raises(PlatformError, match="wait 86,400 seconds"):
        world.sync()


def test_a_dead_platform_ends_the_sync_and_the_next_one_sends_what_was_in_flight(
    world: World, receiver: Receiver
) -> None:
    people = world.people(30)
    world.declare(sending={"batch_size": 10, "in_flight": 1, "backoff": "10ms", "attempts": 3})
    receiver.faults.extend([Fault(), *[Fault(500, applied=True)] * 3])
    with pytest.raises(PlatformError, match="does not answer after 3 calls: HTTP 500"):
        world.sync()
    assert world.ctx.warehouse.value("select count(*) from activation.records") == 10
    assert len(receiver.requests) == 4
    result = world.sync()
    assert receiver.keys("push") == set(people)
    assert (receiver.doubled, world.open_rows(), result.confirmed) == (0, 0, 20)


def test_what_was_in_flight_is_taken_back_when_consent_went_meanwhile(
    world: World, receiver: Receiver
) -> None:
    world.people(3)
    receiver.faults.extend([Fault(500, applied=True)] * 4)
    with pytest.raises(PlatformError):
        world.sync()
    assert "c0002@example.com" in receiver.keys("push")
    world.consent("c0002", "withdrawn")
    world.sync()
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}
    assert world.open_rows() == 0


def test_a_change_while_in_flight_is_sent_after_it(world: World, receiver: Receiver) -> None:
    world.people(2)
    receiver.faults.extend([Fault(500, applied=True)] * 4)
    with pytest.raises(PlatformError):
        world.sync()
    world.sql("update marts.customers set status_stage = 'loyal' where customer_id = 'c0001'")
    world.leave(["c0002"])
    result = world.sync()
    assert {key: fields["stage"] for key, fields in receiver.held["push"].items()} == {
        "c0001@example.com": "loyal"
    }
    assert (result.adds, result.changes, result.removes, result.confirmed) == (0, 1, 1, 4)


def test_refused_rows_wait_for_a_change_or_an_explicit_retry(world: World, receiver: Receiver) -> None:
    world.people(3)
    receiver.refuse = lambda action, key, fields: "blocked" if key < "c0003" else None
    result = world.sync()
    assert (result.confirmed, result.refused) == (1, 2)
    again = world.sync()
    assert (again.calls, again.waiting) == (0, 2)

    receiver.refuse = lambda action, key, fields: None
    world.sql("update marts.customers set first_name = 'Other' where customer_id = 'c0001'")
    assert world.sync().confirmed == 1
    assert receiver.keys("push") == {"c0001@example.com", "c0003@example.com"}
    retried = world.sync(only_failed=True)
    assert (retried.confirmed, retried.waiting) == (1, 0)
    assert len(receiver.keys("push")) == 3


def test_a_refused_removal_waits_and_is_forgotten_when_the_person_returns(
    world: World, receiver: Receiver
) -> None:
    world.people(2)
    world.sync()
    receiver.refuse = lambda action, key, fields: "locked" if action == "removes" else None
    world.leave(["c0001"])
    assert world.sync().refused == 1
    assert world.sync().calls == 0
    world.join(["c0001"])
    assert world.sync().calls == 0
    receiver.refuse = lambda action, key, fields: None
    world.leave(["c0001"])
    assert world.sync().removes == 1
    assert receiver.keys("push") == {"c0002@example.com"}


def test_a_batch_refused_as_a_whole_is_split_down_to_the_row_at_fault(
    world: World, receiver: Receiver
) -> None:
    people = world.people(100)
    receiver.refuse_batch = lambda request: any(row["key"] == people[41] for _, row in request.rows)
    result = world.sync()
    assert receiver.keys("push") == set(people) - {people[41]}
    assert (result.confirmed, result.refused) == (99, 1)
    assert result.calls <= 15
    [row] = world.ctx.warehouse.rows(
        "select record_key, reason from activation.ledger where status = 'refused'"
    )
    assert row == {"record_key": people[41], "reason": "HTTP 400: something in it is wrong"}


def test_a_platform_that_refuses_too_much_fails_the_sync_after_settling(
    world: World, receiver: Receiver
) -> None:
    world.people(10)
    world.declare(guards={"max_refused": 0.2})
    receiver.refuse = lambda action, key, fields: "blocked" if key < "c0004" else None
    with pytest.raises(SyncRefused, match=r"refused 3 of 10 rows \(allowed: 20%\): 3: blocked; all reasons"):
        world.sync()
    assert len(receiver.keys("push")) == 7
    assert world.open_rows() == 0


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "credentials"), (403, "credentials"), (404, "no such endpoint"), (302, "no such")],
)
def test_what_no_batch_can_mend_stops_at_the_first_call(
    world: World, receiver: Receiver, status: int, words: str
) -> None:
    world.people(300)
    world.declare(sending={"in_flight": 1})
    receiver.faults.append(Fault(status))
    with pytest.raises(PlatformError, match=words):
        world.sync()
    assert len(receiver.requests) == 1
    world.sync()
    assert len(receiver.keys("push")) == 300


def test_a_platform_that_is_not_there_is_named_without_its_secrets(world: World) -> None:
    world.people(1)
    nowhere = PlatformConnection("http://user:pa55@127.0.0.1:9/x?token=t0ken", secret="s3cret-token")
    with pytest.raises(PlatformError) as caught:
        sync(world.ctx, "push", nowhere)
    assert "no connection" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("pa55", "t0ken", "s3cret"))


def test_no_person_shows_in_logs_errors_or_reasons(
    world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.people(2)
    world.sql("update marts.customers set first_name = 'Rosalind' where customer_id = 'c0001'")
    world.declare(guards={"max_refused": 0})
    receiver.refuse = lambda action, key, fields: (
        f"{key.upper()}: {fields['name']} is on a list, ask jo@list.example or +49 151 2345678 " + "x" * 500
    )
    with pytest.raises(SyncRefused) as caught:
        world.sync()
    kept = world.ctx.warehouse.rows(
        "select reason from activation.ledger union all select refused_reason from activation.records"
    )
    said = " ".join([caplog.text, str(caught.value), *(row["reason"] for row in kept)])
    for personal in ("c0001@", "C0001@", "Rosalind", "jo@list", "2345678"):
        assert personal not in said
    assert max(len(row["reason"]) for row in kept) <= 200
    assert "is on a list" in said
