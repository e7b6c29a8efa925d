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
        """Of the server's living processes and, at their parent, of those that ended."""
        parent = int((self.server.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        ticks = 0
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                ticks += int(fields[11]) + int(fields[12])
            elif int(folder.name) == parent:
                ticks += int(fields[13]) + int(fields[14])
        return ticks / os.sysconf("SC_CLK_TCK")


def peak() -> str:
    """The most memory that this process ever had."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
