"""A platform that is out is tried by one call at a time, and not for ever; one that is back is used at once."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from fault_receiver import Fault, Receiver
from world import World

from lifehouse.activation.circuit import Circuit
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import PlatformError


def opened(**settings: float) -> Circuit:
    """A circuit that two failures have opened."""
    circuit = Circuit(2, timedelta(seconds=settings.get("patience", 60)), settings.get("backoff", 0.001))
    assert not circuit.failed(TryAgain("HTTP 500"))
    assert circuit.failed(TryAgain("HTTP 500"))
    return circuit


def test_while_it_is_open_one_call_at_a_time_goes_out_and_an_answer_lets_all_pass() -> None:
    circuit, at_once, most, probes = opened(), 0, 0, 0

    async def call(number: int) -> None:
        nonlocal at_once, most, probes
        while True:
            async with circuit.passage() as is_probe:
                at_once += is_probe
                most, probes = max(most, at_once), probes + is_probe
                await asyncio.sleep(0.002)
                at_once -= is_probe
                if probes > 3:
                    circuit.answered()
                    return
                circuit.failed(TryAgain("HTTP 503"))

    async def main() -> None:
        await asyncio.gather(*map(call, range(10)))

    asyncio.run(main())
    assert (most, probes, circuit.is_open, circuit.outages) == (1, 4, False, 1)
    assert circuit.seconds > 0.008


def test_failures_with_answers_between_them_are_no_outage() -> None:
    circuit = Circuit(3, timedelta(seconds=60), 0.001)
    for _ in range(10):
        assert not circuit.failed(TryAgain("HTTP 500"))
        assert not circuit.failed(TryAgain("HTTP 500"))
        circuit.answered()
    assert (circuit.is_open, circuit.outages, circuit.seconds) == (False, 0, 0)


@pytest.mark.parametrize(
    ("asked", "words"), [(None, r"patience \(0 seconds\) is used up"), (30.0, "asks us to wait 30 seconds")]
)
def test_its_patience_ends_for_all_who_wait(asked: float | None, words: str) -> None:
    circuit, probes = opened(patience=0.05, backoff=0.01), 0

    async def call() -> None:
        nonlocal probes
        while True:
            async with circuit.passage() as is_probe:
                probes += is_probe
                circuit.failed(TryAgain("HTTP 503", wait=asked))

    async def main() -> list[BaseException | None]:
        return await asyncio.gather(call(), call(), call(), return_exceptions=True)

    ends = asyncio.run(asyncio.wait_for(main(), 5))
    assert {type(end) for end in ends} == {PlatformError}
    assert len({str(end) for end in ends}) == 1
    with pytest.raises(PlatformError, match=words):
        raise ends[0] or AssertionError
    assert 1 <= probes <= 10


def test_many_batches_do_not_each_wear_themselves_out_on_a_dead_platform(
    world: World, receiver: Receiver
) -> None:
    people = world.people(400)
    sending = {"batch_size": 10, "in_flight": 8, "backoff": "10ms", "attempts": 6, "patience": "400ms"}
    world.declare(sending=sending)
    receiver.faults.extend([Fault(500)] * 500)
    began = time.monotonic()
    with pytest.raises(PlatformError) as caught:
        world.sync()
    assert time.monotonic() - began < 20
    assert len(receiver.requests) < 30, "40 batches with 6 attempts each would be 240 calls"
    assert "one at a time to see whether it is back (the last: HTTP 500)" in str(caught.value)
    assert "400 rows are left in the outbox" in str(caught.value)
    [run] = world.ctx.warehouse.rows("select status, outages, outage_seconds from activation.sync_runs")
    assert (run["status"], run["outages"]) == ("failed", 1)
    assert run["outage_seconds"] > 0.3
    probes = world.ctx.warehouse.value("select count(*) from activation.calls where is_probe")
    assert 1 <= probes < len(receiver.requests)
    receiver.faults.clear()
    assert world.sync().confirmed == 400
    assert (receiver.keys("push"), receiver.doubled) == (set(people), 0)


def test_after_an_outage_the_sync_goes_on_and_says_what_happened(world: World, receiver: Receiver) -> None:
    people = world.people(200)
    world.declare(sending={"batch_size": 10, "in_flight": 4, "backoff": "10ms", "attempts": 2})
    receiver.faults.extend([Fault(503), Fault(500, applied=True), *[Fault(reset=True)] * 8])
    result = world.sync()
    assert (result.confirmed, result.calls, receiver.doubled) == (200, 30, 0)
    assert receiver.keys("push") == set(people)
    [run] = world.ctx.warehouse.rows("select status, message from activation.sync_runs")
    assert run["status"] == "done"
    assert "the platform was out once, for" in run["message"]
