"""Delivery: claimed batches go out many at a time, answers come in, both beside each other."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lifehouse.activation.circuit import Circuit
from lifehouse.activation.declaration import Sending
from lifehouse.activation.outbox import Call, Outbox, Outcome
from lifehouse.activation.pace import Pace
from lifehouse.activation.platforms.base import Answer, Batch, BatchRefused, Platform, TryAgain
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.errors import LifehouseError, PlatformError
from lifehouse.garbage import collecting_seldom

#: Rows that may wait claimed, beyond what a settlement needs.
_ROWS_AHEAD = 8_000
#: Settled rows that are worth a fold beside the sending.
_ROWS_TO_FOLD = 20_000


@dataclass
class Delivered:
    """Counts of rows, of calls and of batches that were in flight before. ``fault`` is why it ended early.

    ``quiet`` of the ``withdrawn`` rows wait for the morning. ``outages`` of the platform, and the seconds that they took.
    ``repeated`` rows were sent again to a platform that is not keyed, after an answer was lost or a sender killed: it may
    hold them twice.
    """

    confirmed: int = 0
    refused: int = 0
    withdrawn: int = 0
    quiet: int = 0
    calls: int = 0
    recovered: int = 0
    repeated: int = 0
    outages: int = 0
    outage_seconds: float = 0
    fault: LifehouseError | None = None


@dataclass
class Delivery:
    """Empties the outbox of one sync. A claimer keeps ``width`` senders busy, a settler writes down what they hear.

    Beside them what is settled is folded, many batches at once; the rest of it at the end.
    A platform that is not keyed gets a batch only when the one before is settled: a kill then repeats one batch at most.
    """

    outbox: Outbox
    platform: Platform
    sending: Sending
    width: int
    per_second: float | None = None
    done: Delivered = field(default_factory=Delivered)

    @property
    def _is_keyed(self) -> bool:
        return self.platform.capabilities.keyed

    @property
    def _ahead(self) -> int:
        """Batches that wait claimed: enough to outlast a settlement, small ones in greater number."""
        return max(2 * self.width, min(8 * self.width, _ROWS_AHEAD // self.platform.capabilities.batch_size))

    async def run(self) -> Delivered:
        """Until nothing is ready, or a fault stops the claiming: what is out then is still heard and settled."""
        self._ready: asyncio.Queue[Batch | None] = asyncio.Queue(self._ahead)
        self._heard: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self._database = asyncio.Lock()  # one connection, one transaction at a time
        backoff = self.sending.backoff.total_seconds()
        self._pace = Pace(backoff, self.sending.longest_wait.total_seconds(), self.per_second)
        self._circuit = Circuit(self.sending.opens_after, self.sending.patience, backoff)
        with collecting_seldom(10_000):  # rows come and go by the thousand and hold nothing but text
            await self._run()
        self.done.outages, self.done.outage_seconds = self._circuit.outages, self._circuit.seconds
        return self.done

    async def _run(self) -> None:
        async with self.platform, asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            senders = [tasks.create_task(self._send_all()) for _ in range(self.width)]
            settler = tasks.create_task(self._settle_all())
            await self._claim_all()
            await asyncio.gather(*senders)
            await self._heard.put(None)
            await settler
        await asyncio.to_thread(self.outbox.fold)

    async def _claim_all(self) -> None:
        while self.done.fault is None:
            try:
                async with self._database:
                    claimed = await asyncio.to_thread(self.outbox.claim, self._ahead if self._is_keyed else 1)
            except LifehouseError as fault:
                self.done.fault = fault
                break
            checkpoint(Step.CLAIMED)
            self.done.recovered += claimed.recovered
            self.done.withdrawn += claimed.withdrawn
            self.done.quiet += claimed.quiet
            if not claimed.batches:
                break
            for batch in claimed.batches:
                await self._ready.put(batch)
                if not self._is_keyed:
                    await self._ready.join()
        for _ in range(self.width):
            await self._ready.put(None)

    async def _send_all(self) -> None:
        while (batch := await self._ready.get()) is not None:
            if self.done.fault is None:  # else it stays in flight for the next sync
                await self._send_one(batch)
            self._ready.task_done()

    async def _send_one(self, batch: Batch) -> None:
        outcome = Outcome(batch, is_doubtful=batch.is_recovered)
        try:
            if batch.rows:
                outcome.refused = await self._deliver(batch, outcome)
            outcome.is_settled = True
        except PlatformError as fault:
            self.done.fault = self.done.fault or fault
        await self._heard.put(outcome)
        if not self._is_keyed:
            self.done.repeated += len(batch.rows) if outcome.is_doubtful and outcome.is_settled else 0
            await self._heard.join()

    async def _settle_all(self) -> None:
        is_over, to_fold, folding = False, 0, None
        while not is_over:
            heard = [await self._heard.get()]
            while not self._heard.empty():
                heard.append(self._heard.get_nowait())
            is_over = heard[-1] is None
            outcomes = [outcome for outcome in heard if outcome is not None]
            if not outcomes:
                continue
            async with self._database:
                settled = await asyncio.to_thread(self.outbox.settle, outcomes)
            to_fold += settled.confirmed
            if to_fold >= _ROWS_TO_FOLD and (folding is None or folding.done()):
                to_fold, folding = 0, self._tasks.create_task(asyncio.to_thread(self.outbox.fold))
            self.done.confirmed += settled.confirmed
            self.done.refused += settled.refused
            self.done.calls += sum(call.requests for outcome in outcomes for call in outcome.calls)
            for _ in outcomes:
                self._heard.task_done()
            checkpoint(Step.SETTLED)

    async def _deliver(self, batch: Batch, outcome: Outcome) -> dict[int, str]:
        """Place → reason of the rows that the platform refused; a batch it refuses whole is split down to them.

        :raises PlatformError: it does not answer, or takes nothing from us.
        """
        try:
            answer = await self._call(batch, outcome)
            outcome.ids |= answer.ids
            outcome.unsubscribed |= answer.unsubscribed
            return answer.refused
        except BatchRefused as refusal:
            if len(batch.rows) == 1:
                if refusal.is_unsubscribed:
                    outcome.unsubscribed.add(batch.rows[0].place)
                return {batch.rows[0].place: refusal.reason}
        refused: dict[int, str] = {}
        for half in batch.halves():
            refused.update(await self._deliver(half, outcome))
        return refused

    async def _call(self, batch: Batch, outcome: Outcome) -> Answer:
        """One batch, again and again until the platform has said something that counts."""
        attempts = limits = 0
        while True:
            said = await self._attempt(batch, outcome)
            if isinstance(said, Answer):
                return said
            if said.is_limit:
                limits += 1
            elif self._circuit.failed(said):
                continue  # an outage is no fault of the batch's, and waits at the circuit
            else:
                attempts += 1
            if attempts >= self.sending.attempts or limits >= 10 * self.sending.attempts:
                raise PlatformError(
                    f"the platform does not answer after {attempts + limits} calls: {said}"
                ) from said
            await self._pace.after(said, attempts + limits)

    async def _attempt(self, batch: Batch, outcome: Outcome) -> Answer | TryAgain:
        """One call, when circuit and pace let it out."""
        async with self._circuit.passage() as is_probe:
            await self._pace.ready()
            call = Call(batch.batch_id, len(batch.rows), datetime.now(UTC), is_probe=is_probe)
            outcome.calls.append(call)
            clock = time.monotonic()
            try:
                answer = await self.platform.send(batch)
            except TryAgain as fault:
                call.end("again", fault.status_code, clock)
                outcome.is_doubtful |= not fault.is_limit
                if fault.is_limit:
                    self._circuit.answered()
                return fault
            except BatchRefused as refusal:
                call.end("refused", refusal.status_code, clock)
                self._circuit.answered()
                raise
            except PlatformError:
                call.end("down", None, clock)
                raise
            call.end("settled", answer.status_code, clock, answer.requests)
            self._circuit.answered()
        checkpoint(Step.ANSWERED)
        return answer
