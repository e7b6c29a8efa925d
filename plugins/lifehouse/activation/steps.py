"""The named steps of the engine, at each of which a test kills it."""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Step(StrEnum):
    """Instants between which something has been done and something is still missing."""

    OPENED = "opened"  # the run is on record, nothing is planned
    PLANNING = "planning"  # the outbox is written, not committed
    PLANNED = "planned"  # the outbox is committed, nothing is claimed
    CLAIMED = "claimed"  # batches are claimed, nothing is sent
    ANSWERED = "answered"  # the platform has applied a batch, we have not settled it
    SETTLING = "settling"  # settlement is written, not committed
    SETTLED = "settled"  # some batches are settled, others may be open; the records do not know of them
    FOLDING = "folding"  # the records are written, not committed
    DELIVERED = "delivered"  # all batches are settled, the platform's closing work is missing
    CLOSING = "closing"  # all is done, the run is still on record as running


def checkpoint(step: Step) -> None:
    """Does nothing, unless ``LIFEHOUSE_CRASH_AT`` names this step: then the process is killed at once, as by ``kill -9``."""
    if os.environ.get("LIFEHOUSE_CRASH_AT") == step:
        crash()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
