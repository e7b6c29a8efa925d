"""Readers under load: what 8 connections wait more than on their own while 50 releases are published and rolled back.

Twelve marts of 500 rows; each transaction (repeatable read) reads four of them. Each connection is a process of
its own. The baseline is measured on the same machine while the idle copy is refilled in the same way and nothing
is published. Promised: no error, no mixture, no transaction slower than the baseline's 95th percentile by more than
50 ms because of a lock. The machine's own hiccups are in both figures; ``log_lock_waits`` names the locks' part.
"""

from __future__ import annotations

import multiprocessing
import shutil
import statistics
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from tests.releases import conftest
from tests.releases.conftest import NIGHT, House

from lifehouse.releases.publish import publish, rollback
from lifehouse.releases.run import begin
from support.readers import LockWatch, Reading

CONNECTIONS, RELEASES, BESIDE = 8, 50, 0.050
NAMES = tuple(f"mart_{number:02}" for number in range(12))
ROWS = 500


def run(url: str) -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="lifehouse-bench-"))
    try:
        house = conftest.found(folder, url)
        house.accept()
        for number in (1, 2):
            _publish(house, number)
        alone = _measured(url, lambda: _refill_only(house))
        locks = LockWatch(url)
        with locks:
            under = _measured(url, lambda: _come_and_go(house, locks))
    finally:
        shutil.rmtree(folder)
    limit = _p95(alone["seconds"]) + BESIDE
    waits = [seconds for _, seconds in locks.waits]
    return {
        "transactions alone": len(alone["seconds"]),
        "  p95, ms": _ms(_p95(alone["seconds"])),
        "  slowest, ms": _ms(max(alone["seconds"])),
        "  beyond p95 + 50 ms": sum(each > limit for each in alone["seconds"]),
        "transactions while releases come and go": len(under["seconds"]),
        "  p95 , ms": _ms(_p95(under["seconds"])),
        "  slowest , ms": _ms(max(under["seconds"])),
        "  beyond the baseline's p95 + 50 ms": sum(each > limit for each in under["seconds"]),
        "longest wait for a lock that was seen, ms": _ms(max(waits, default=0.0)),
        "waits for a lock beyond 50 ms": sum(each > BESIDE for each in waits),
        "errors and mixtures": len(alone["problems"]) + len(under["problems"]),
        "releases seen": len(under["releases"]),
    }


def _publish(house: House, number: int) -> None:
    run = begin(house.ctx, NIGHT + timedelta(days=number))
    _refill(house, run.slot, number)
    house.execute(f"update control.runs set gate_passed_at = clock_timestamp() where run_id = {run.run_id}")
    publish(house.ctx, run.run_id, (*NAMES, "segment_members"))


def _refill(house: House, slot: str, number: int) -> None:
    with house.ctx.warehouse.connect(autocommit=True) as connection:
        connection.execute("set client_min_messages = warning")
        kept = connection.execute("select fingerprint from control.slots where slot = %s", (slot,)).fetchone()
        if kept == (None,):
            connection.execute(f"drop schema if exists {slot} cascade")
        connection.execute(
            f"create schema if not exists {slot}; "
            f"create table if not exists {slot}.segment_members (segment text, customer_id text)"
        )
        for name in NAMES:
            connection.execute(
                f"create table if not exists {slot}.{name} (release int, number int); "
                f"delete from {slot}.{name}; "
                f"insert into {slot}.{name} select {number}, n from generate_series(1, {ROWS}) as n"
            )


def _refill_only(house: House) -> None:
    idle = house.value("select slot from control.slots where slot <> (select slot from control.published)")
    for number in range(RELEASES // 2):
        _refill(house, str(idle), number)


def _come_and_go(house: House, locks: LockWatch) -> None:
    number = 2
    for turn in range(1, RELEASES + 1):
        if turn % 5 == 3:
            rollback(house.ctx, marts=(*NAMES, "segment_members"))
            continue
        if turn % 10 == 0:
            house.change_code(str(turn))
        locks.doing = "new code" if turn % 10 < 2 else "switching"
        _publish(house, number := number + 1)


def _measured(url: str, writer: Any) -> dict[str, Any]:
    """What the readers saw while ``writer`` worked."""
    spawn = multiprocessing.get_context("spawn")
    stopped = spawn.Event()
    with spawn.Pool(CONNECTIONS, initializer=_share, initargs=(stopped,)) as pool:
        found = pool.map_async(_read, [(url, number) for number in range(CONNECTIONS)], chunksize=1)
        time.sleep(3)  # until all of them are connected
        writer()
        stopped.set()
        parts = found.get(60)
    return {
        "seconds": sorted(seconds for part in parts for seconds in part[0]),
        "problems": [problem for part in parts for problem in part[1]],
        "releases": {release for part in parts for release in part[2]},
    }


_stopped: Any = None


def _share(stopped: Any) -> None:
    global _stopped  # noqa: PLW0603  set once, when the process begins
    _stopped = stopped


def _read(item: tuple[str, int]) -> tuple[list[float], list[str], set[int]]:
    url, number = item
    marts = [NAMES[(number + step * 3) % len(NAMES)] for step in range(4)]
    reading = Reading(url, marts, think=0.02)
    stopped = threading.Event()
    threading.Thread(target=lambda: (_stopped.wait(), stopped.set()), daemon=True).start()
    with psycopg.connect(url) as connection:
        connection.execute("select 1")
    reading.until(stopped)
    return (
        [look.seconds for look in reading.looks],
        reading.problems,
        {release for look in reading.looks for release in look.releases},
    )


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[18]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
