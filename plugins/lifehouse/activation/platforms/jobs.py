"""An asynchronous job, from the answer that opened it to the answers that tell how every row ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lifehouse.activation.platforms import reading
from lifehouse.activation.platforms.answers import Answer
from lifehouse.activation.platforms.base import BatchRefused, Row, TryAgain
from lifehouse.activation.platforms.calls import Job, Request
from lifehouse.errors import PlatformError
from lifehouse.masks import mask

#: Polls in a row that may go unanswered before the job counts as lost.
MISSES = 3


@dataclass
class Work:
    """One job. ``ask`` makes a request, with values and each row's own; ``requests`` counts them."""

    job: Job
    ask: Callable[[Request, Answer, Mapping[str, Any], Sequence[Mapping[str, Any]]], Awaitable[Any]]
    values: Mapping[str, Any]
    each: Sequence[Mapping[str, Any]]
    requests: int = 0

    async def done(self, opened: Any, rows: Sequence[Row]) -> list[tuple[Any, Answer]]:
        """Bodies, and how each is read.

        :param opened: the body that names the job.
        :raises TryAgain: it failed as a whole, or is not over in time; the same rows may be sent again.
        """
        number = reading.found(self.job.id, opened)
        if number is None:
            raise TryAgain("an answer that names no job")
        self.values = {**self.values, "job": str(number)}
        if self.job.steps:
            await self._bring()
        told = await self._over(rows)
        if self.job.reads:
            return [(await self._asked(read, read.answer), read.answer) for read in self.job.reads]
        if self.job.more:
            told = await self._asked(self.job.more, self.job.answer)
        return [(told, self.job.answer)]

    async def _asked(self, request: Request, answer: Answer, each: Sequence[Mapping[str, Any]] = ()) -> Any:
        self.requests += 1
        return await self.ask(request, answer, self.values, each)

    async def _bring(self) -> None:
        """The file and its end; a job that cannot have them is not left open."""
        try:
            for step in self.job.steps:
                await self._asked(step, Answer(reason=self.job.answer.reason), self.each)
        except BaseException:
            if self.job.abandon:
                with suppress(TryAgain, BatchRefused, PlatformError):
                    await self._asked(self.job.abandon, Answer())
            raise

    async def _over(self, rows: Sequence[Row]) -> Any:
        """What the job says when it is done."""
        longest, pause = self.job.longest.total_seconds(), self.job.every.total_seconds()
        until, misses = time.monotonic() + longest, 0
        while True:
            wait = pause
            try:
                told = await self._asked(self.job.poll, self.job.answer)
                misses = 0
            except TryAgain as fault:
                misses += not fault.is_limit
                if misses > MISSES:
                    raise
                told, wait = None, max(wait, fault.wait or 0)
            if reading.holds(self.job.failed, told):
                raise TryAgain(f"a job that failed as a whole{_because(self.job.answer, told, rows)}")
            if reading.holds(self.job.done, told):
                return told
            if time.monotonic() + wait > until:
                raise TryAgain(f"a job that is not over after {longest:,.0f} seconds")
            await asyncio.sleep(wait)
            if self.job.slowest:
                pause = max(pause, min(2 * pause, self.job.slowest.total_seconds()))


def _because(answer: Answer, told: Any, rows: Sequence[Row]) -> str:
    """The platform's reason, without the rows' values."""
    reason = str(reading.found(answer.reason, told) or "")
    given = [value for row in rows for value in (row.key, *map(str, row.fields.values()))]
    return f" ({mask(reason, [value for value in given if value and value in reason])})" if reason else ""
