"""When the next request may go out: a platform's limits hold for all of them at once, failures for one batch."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field

from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import PlatformError

LONGEST_BACKOFF = 60.0
#: By which the time for as many requests as a platform allows is stretched: so much sooner may one arrive than another.
RESERVE = 0.04
#: Seconds that requests which could not go out on time may make up for.
_MADE_UP = 0.05


@dataclass
class Turn:
    """Of the call that a task is about to make: whether it has already waited for its next request."""

    pace: Pace
    is_due: bool = True


_TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)


async def turn() -> None:
    """Before each request of a call: its first has had its wait, each further one is a call to the platform like any other."""
    mine = _TURN.get()
    if mine is None:
        return
    if not mine.is_due:
        await mine.pace.ready()
    mine.is_due = False


@dataclass
class Pace:
    """Shared by all calls of a delivery. Times are seconds; ``per_second`` is what the platform allows.

    Counted where they arrive, no second has more requests than that, as long as none takes longer on its way than another by
    more than the reserve: the n-th from now leaves only when that time is over since this one really left.
    """

    backoff: float
    longest_wait: float
    per_second: float | None = None
    _resume_at: float = field(default=0.0, init=False)
    _next_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        rate = self.per_second or 1.0
        many = max(1, int(rate))
        self._span, self._interval = many / rate * (1 + RESERVE), 1 / rate
        self._left: deque[float] = deque(maxlen=many)
        self._in_turn = asyncio.Lock()

    async def ready(self) -> None:
        """Until no limit holds us; afterwards calls start spread out, not all at once."""
        if self.per_second is None:
            await self._held()
        else:
            async with self._in_turn:
                await self._held()
                start = max(self._next_at, _now() - _MADE_UP)
                if len(self._left) == self._left.maxlen:
                    start = max(start, self._left[0] + self._span)
                while (wait := start - _now()) > 0:
                    await asyncio.sleep(wait)
                self._left.append(_now())
                self._next_at = start + self._interval
        _TURN.set(Turn(self))

    async def after(self, fault: TryAgain, attempt: int) -> None:
        """Wait as the platform asked, or longer each time (full jitter), before attempt number ``attempt + 1``.

        :raises PlatformError: it asks for more than we have.
        """
        backoff = min(LONGEST_BACKOFF, self.backoff * 2 ** (attempt - 1))
        wait = fault.wait if fault.wait is not None else random.uniform(backoff / 2, backoff)  # noqa: S311  jitter
        if wait > self.longest_wait:
            raise PlatformError(f"the platform asks us to wait {wait:,.0f} seconds ({fault})")
        if fault.is_limit or fault.wait is not None:
            self._resume_at = max(self._resume_at, _now() + wait)
            await self._held()
        else:
            await asyncio.sleep(wait)

    async def _held(self) -> None:
        """Until no rate limit holds us that we were told of."""
        while (wait := self._resume_at - _now()) > 0:
            await asyncio.sleep(wait + random.uniform(0, min(0.1, wait / 10)))  # noqa: S311  jitter


def _now() -> float:
    return asyncio.get_running_loop().time()
