"""Seconds on the clock, and seconds that the processors worked for the database: the latter say more on a shared machine."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lifehouse.warehouse.server import EmbeddedServer

Result = TypeVar("Result")


@dataclass(frozen=True)
class Spent:
    """Seconds, and of them those that the server's processes and this one worked."""

    seconds: float
    server: float
    python: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.server + other.server, self.python + other.python)

    def __str__(self) -> str:
        return f"{self.seconds:,.1f} s (server worked {self.server:,.1f}, python {self.python:,.1f})"


@dataclass(frozen=True)
class Meter:
    """Measures what is done on one server."""

    server: EmbeddedServer

    def measure(self, work: Callable[[], Result]) -> tuple[Spent, Result]:
        began, worked, own = time.perf_counter(), self._worked(), time.process_time()
        result = work()
        return Spent(time.perf_counter() - began, self._worked() - worked, time.process_time() - own), result

    def of(self, work: Callable[[], Any]) -> Spent:
        return self.measure(work)[0]

    def _worked(self) -> float:
        """Of the server's living processes and, at their parent, of those that ended: none may end meanwhile."""
        parent = int((self.server.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        while True:
            living, own = _processes(parent), _stat(parent)
            ticks = sum(int(stat[11]) + int(stat[12]) for stat in living.values())
            if own and _processes(parent).keys() == living.keys():
                return (ticks + int(own[13]) + int(own[14])) / os.sysconf("SC_CLK_TCK")


def _processes(parent: int) -> dict[str, list[str]]:
    """What the kernel tells of each child of a process."""
    told = {folder.name: _stat(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
    return {number: stat for number, stat in told.items() if stat and int(stat[1]) == parent}


def _stat(process: int | str) -> list[str]:
    """The fields after its name; none if it is no more."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def peak() -> str:
    """The most memory that this process ever had."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
