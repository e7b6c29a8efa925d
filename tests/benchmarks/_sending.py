"""One sync in a process of its own, as it runs in production, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lifehouse.activation.run import sync
from lifehouse.context import Context

if TYPE_CHECKING:
    from tests.activation.world import World


@dataclass(frozen=True)
class Sent:
    """Rows and calls; ``seconds`` of the sync, ``whole`` with the process; ``worked``: the processor, in Python; ``peak``: MB."""

    confirmed: int
    calls: int
    seconds: float
    worked: float
    peak: float
    whole: float = 0.0


def send(world: World, name: str = "push") -> Sent:
    _compile()
    environment = {
        **_environment(),
        "LIFEHOUSE_HOME": str(world.ctx.home.path),
        "LIFEHOUSE_PROJECT": str(world.ctx.project.root),
        "LIFEHOUSE_WAREHOUSE_URL": world.ctx.warehouse.url,
        "AIRFLOW_CONN_RECEIVER": json.dumps(
            {"conn_type": "http", "host": world.connection.url, "password": world.connection.secret}
        ),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._sending", name],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Sent(**json.loads(done.stdout), whole=time.perf_counter() - began)


@cache
def _compile() -> None:
    """Once for all rounds: an installed program is compiled, whatever this shell says of its own."""
    modules = "benchmarks._sending, lifehouse.activation.platforms.carrier"
    subprocess.run([sys.executable, "-c", f"import {modules}"], env=_environment(), check=True)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _main(name: str) -> None:
    worked = time.process_time()
    done = sync(Context.current(), name)
    told = {
        "confirmed": done.confirmed,
        "calls": done.calls,
        "seconds": done.seconds,
        "worked": time.process_time() - worked,
        "peak": _peak(),
    }
    print(json.dumps(told))


def _peak() -> float:
    """MB. What the kernel tells of a process's resources begins with the memory of the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:", 1)[1].split(maxsplit=1)[0]) / 1024


if __name__ == "__main__":
    _main(sys.argv[1])
