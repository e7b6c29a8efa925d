"""When the next call may go out: a platform's limits hold for all calls at once, failures for one batch."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import PlatformError

LONGEST_BACKOFF = 60.0


@dataclass
class Pace:
    """Shared by all calls of a delivery. Times are seconds; ``per_second`` is what the platform allows."""

    backoff: float
    longest_wait: float
    per_second: float | None = None
    _resume_at: float = field(default=0.0, init=False)
    _next_at: float = field(default=0.0, init=False)

    async def ready(self) -> None:
        """Until no limit holds us; afterwards calls start spread out, not all at once."""
        while (wait := self._resume_at - time.monotonic()) > 0:
            await asyncio.sleep(wait + random.uniform(0, min(0.1, wait / 10)))  # noqa: S311  jitter
        if self.per_second:
            now = time.monotonic()
            start = max(now, self._next_at)
            self._next_at = start + 1 / self.per_second
            await asyncio.sleep(start - now)

    async def after(self, fault: TryAgain, attempt: int) -> None:
        """Wait as the platform asked, or longer each time (full jitter), before attempt number ``attempt + 1``.

        :raises PlatformError: it asks for more than we have.
        """
        backoff = min(LONGEST_BACKOFF, self.backoff * 2 ** (attempt - 1))
        wait = fault.wait if fault.wait is not None else random.uniform(backoff / 2, backoff)  # noqa: S311  jitter
        if wait > self.longest_wait:
            raise PlatformError(f"the platform asks us to wait {wait:,.0f} seconds ({fault})")
        if fault.is_limit or fault.wait is not None:
            self._resume_at = max(self._resume_at, time.monotonic() + wait)
            await self.ready()
        else:
            await asyncio.sleep(wait)
