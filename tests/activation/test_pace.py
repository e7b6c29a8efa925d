"""The pace of calls: counted where they arrive, no second has more than the platform allows, and hardly less."""

from __future__ import annotations

import asyncio
import random
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Asked
from vendors import Hubspot
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.pace import RESERVE, Pace
from lifehouse.activation.platforms.base import TryAgain


class Simulated(asyncio.SelectorEventLoop):
    """A loop whose clock is moved on by what it waits for, and by how late a real one would be."""

    def __init__(self, late: Callable[[], float]) -> None:
        self.now = 1000.0
        super().__init__(_Asleep(self, late))

    def time(self) -> float:
        return self.now


class _Asleep(selectors.SelectSelector):
    def __init__(self, loop: Simulated, late: Callable[[], float]) -> None:
        super().__init__()
        self.loop, self.late = loop, late

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.loop.now += timeout + self.late()
        return super().select(0)


def simulate(late: Callable[[], float], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=lambda: Simulated(late)) as runner:
        runner.run(work())


def busiest(moments: list[float], span: float = 1.0) -> int:
    moments, most, first = sorted(moments), 0, 0
    for index, moment in enumerate(moments):
        while moment - moments[first] >= span:
            first += 1
        most = max(most, index - first + 1)
    return most


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 150),
    width=st.integers(1, 40),
    latency=st.sampled_from([0.0, 0.01, 0.2]),
    stall=st.sampled_from([0.0, 0.03, 0.4]),
    seed=st.integers(0, 2**32),
)
def test_no_second_has_more_than_the_limit_where_they_arrive(
    limit: int, width: int, latency: float, stall: float, seed: int
) -> None:
    dice = random.Random(seed)
    arrived: list[float] = []
    left = iter(range(6 * limit))

    def late() -> float:
        return stall if dice.random() < 0.01 else dice.expovariate(1 / 0.001)

    async def sender(pace: Pace) -> None:
        loop = asyncio.get_running_loop()
        for _ in left:
            await pace.ready()
            arrived.append(loop.time() + dice.uniform(0, RESERVE))
            await asyncio.sleep(latency * dice.random())

    async def all_of_them() -> None:
        pace = Pace(0.1, 1.0, limit)
        await asyncio.gather(*(sender(pace) for _ in range(width)))

    simulate(late, all_of_them)
    assert busiest(arrived) <= limit
    if latency == stall == 0:
        assert (len(arrived) - 1) / (max(arrived) - min(arrived)) >= 0.95 * limit


@pytest.mark.parametrize(("per_second", "span", "allowed"), [(0.27, 3.7, 1), (2.5, 0.8, 2)])
def test_a_limit_of_a_part_of_a_call_holds_over_as_much_longer(
    per_second: float, span: float, allowed: int
) -> None:
    sent: list[float] = []

    async def work() -> None:
        pace = Pace(0.1, 1.0, per_second)
        for _ in range(20):
            await pace.ready()
            sent.append(asyncio.get_running_loop().time())

    simulate(lambda: 0.001, work)
    assert busiest(sent, span) == allowed
    assert 19 / (sent[-1] - sent[0]) >= 0.95 * per_second


def test_after_a_rate_limit_nobody_goes_before_its_time_and_all_are_spread_again() -> None:
    sent: list[float] = []

    async def sender(pace: Pace) -> None:
        await pace.ready()
        sent.append(asyncio.get_running_loop().time())

    async def work() -> None:
        pace = Pace(0.1, 60.0, 10)
        waiting = [asyncio.create_task(sender(pace)) for _ in range(30)]
        await asyncio.sleep(0.45)
        await pace.after(TryAgain("rate limit", wait=30, is_limit=True), 1)
        await asyncio.gather(*waiting)

    simulate(lambda: 0.0005, work)
    before = [moment for moment in sent if moment < 1030.45]
    assert 4 <= len(before) <= 6  # those that had left, and the one that was about to
    assert busiest(sent) <= 10


def test_every_request_of_a_batch_counts_not_only_its_first(world: World) -> None:
    """A contact is two requests at HubSpot: it is written, and joins the list."""
    world.people(400)
    moments: list[float] = []

    class Timed(Hubspot):
        def answer(self, asked: Asked) -> tuple[int, Any]:
            moments.append(time.monotonic())
            return super().answer(asked)

    with Timed() as vendor:
        sending = {"per_second": 10, "batch_size": 50, "in_flight": 8}
        world.declare(platform="hubspot", options=vendor.options, fields=vendor.fields, sending=sending)
        world.connection = PlatformConnection(vendor.url, secret="secret")
        assert world.sync().confirmed == 400
    assert len(moments) == 16
    assert busiest(moments) <= 10
