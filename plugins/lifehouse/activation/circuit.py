"""The circuit between us and a platform account: it opens on an outage, so that batches do not each wear themselves out on it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from lifehouse.activation.durations import words
from lifehouse.activation.pace import LONGEST_BACKOFF
from lifehouse.activation.platforms.base import TryAgain
from lifehouse.errors import PlatformError


@dataclass
class Circuit:
    """Shared by all calls of a delivery. ``backoff`` is in seconds.

    Closed, calls pass. After ``opens_after`` failures in a row, of whichever batches, it is open: one call at a time goes
    out, each after a longer pause, and the first that is answered closes it. After ``patience`` since the first of the
    failures nobody passes any more.
    """

    opens_after: int
    patience: timedelta
    backoff: float
    outages: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)  # in a row
    _probes: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _over: float = field(default=0.0, init=False)  # seconds of outages that ended
    _last: TryAgain | None = field(default=None, init=False)
    _verdict: str | None = field(default=None, init=False)
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def is_open(self) -> bool:
        return self._failures >= self.opens_after

    @property
    def seconds(self) -> float:
        """Of outages, each from its first failure to its end, or to now."""
        return self._over + (time.monotonic() - self._since if self.is_open else 0)

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[bool]:
        """Hold it for one call; yields whether that is a probe. Whoever waits longest probes next.

        :raises PlatformError: the patience is used up, or the platform asks for more than is left of it.
        """
        if self.is_open:
            async with self._probing:
                if self.is_open:
                    await self._pause()
                    self._probes += 1
                    yield True
                    return
        yield False

    def answered(self) -> None:
        """The platform said something, be it a refusal or a rate limit: it is there."""
        self._over = self.seconds
        self._failures = self._probes = 0

    def failed(self, fault: TryAgain) -> bool:
        """A call was lost. Returns whether an outage is to blame rather than the batch."""
        if self._failures == 0:
            self._since = time.monotonic()
        self._failures, self._last = self._failures + 1, fault
        self.outages += self._failures == self.opens_after
        return self.is_open

    async def _pause(self) -> None:
        left = self._since + self.patience.total_seconds() - time.monotonic()
        asked = (self._last.wait if self._last else None) or 0.0
        if self._verdict is None and left <= 0:
            self._verdict = f"sending.patience ({words(self.patience)}) is used up"
        elif self._verdict is None and asked > left:
            self._verdict = f"it asks us to wait {asked:,.0f} seconds, longer than sending.patience allows"
        if self._verdict:
            raise PlatformError(
                f"the platform does not answer: {self._failures:,} calls in a row were lost, {self._probes:,} of them one at "
                f"a time to see whether it is back (the last: {self._last}); {self._verdict}"
            )
        longest = min(LONGEST_BACKOFF, self.backoff * 2**self._probes)
        pause = max(asked, random.uniform(longest / 2, longest))  # noqa: S311  jitter
        await asyncio.sleep(min(pause, left))
