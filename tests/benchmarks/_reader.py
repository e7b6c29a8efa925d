"""One connection of the readers' benchmark, in a process of its own that imports next to nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from support.readers import Reading

WAITING, ALONE, UNDER, ENDED = range(4)


@dataclass
class Seen:
    """Seconds of each transaction, by what the publisher was doing from its begin to its end."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: {ALONE: [], UNDER: []})
    problems: list[str] = field(default_factory=list)
    releases: set[int] = field(default_factory=set)


_phase: Any = None
_ready: Any = None


def share(phase: Any, ready: Any) -> None:
    """What the publisher is doing, and a barrier that opens when all readers are connected."""
    global _phase, _ready
    _phase, _ready = phase, ready


def read(url: str, marts: Sequence[str], think: float) -> Seen:
    """Read until the publisher has ended."""
    reading, seen = Reading(url, marts), Seen()
    with psycopg.connect(url, autocommit=True, application_name="a reader") as connection:
        connection.prepare_threshold = None
        _ready.wait(300)
        while (before := _phase.value) != ENDED:
            if before != WAITING:
                reading.look(connection)
                if reading.looks and _phase.value == before:
                    seen.seconds[before].append(reading.looks[-1].seconds)
            time.sleep(think)
    seen.problems = reading.problems
    seen.releases = {release for look in reading.looks for release in look.releases}
    return seen
