"""Readers under load: what 8 connections wait more than on their own while 50 releases are published and rolled back.

Twelve marts of 500 rows; each transaction (repeatable read) reads four of them. Each connection is a process of
its own. Rounds take turns: in one, releases come and go in a twin of the warehouse, on the same server (alone); in the
next, in the one that is read, among them new code with other columns. So the work of publishing, and whatever else the
machine does, is in both figures.
Promised: no error, no mixture, no transaction slower than its own baseline's 95th percentile by more than 50 ms because
of a lock. The waits for locks themselves are sampled every millisecond.
"""

from __future__ import annotations

import multiprocessing
import shutil
import statistics
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.releases import conftest
from tests.releases.conftest import NIGHT, House

from benchmarks import _reader
from benchmarks._reader import ALONE, ENDED, UNDER, WAITING, Seen
from lifehouse.releases.publish import publish, rollback
from lifehouse.releases.run import begin
from support.databases import Databases
from support.readers import LockWatch

CONNECTIONS, RELEASES, ROUNDS, BESIDE, THINK = 8, 50, 5, 0.050, 0.02
NAMES = tuple(f"mart_{number:02}" for number in range(12))
ROWS = 500


def run(databases: Databases) -> dict[str, object]:
    folder, url = Path(tempfile.mkdtemp(prefix="lifehouse-bench-")), databases.create()
    try:
        house, twin = conftest.found(folder / "one", url), conftest.found(folder / "two", databases.create())
        for each in (house, twin):
            each.accept()
            for number in (1, 2):
                _publish(each, number)
        with LockWatch(url) as locks:
            seen = _measured(url, lambda phase: _rounds(house, twin, locks, phase))
    finally:
        shutil.rmtree(folder)
    alone, under = (sorted(each for one in seen for each in one.seconds[kind]) for kind in (ALONE, UNDER))
    limit = _p95(alone) + BESIDE
    waits = [seconds for _, seconds in locks.waits]
    problems = [problem for one in seen for problem in one.problems]
    return {
        "transactions alone": len(alone),
        "  p95, ms": _ms(_p95(alone)),
        "  slowest, ms": _ms(max(alone)),
        "  beyond p95 + 50 ms": sum(each > limit for each in alone),
        "transactions while releases come and go": len(under),
        "  p95 , ms": _ms(_p95(under)),
        "  slowest , ms": _ms(max(under)),
        "  beyond the baseline's p95 + 50 ms": sum(each > limit for each in under),
        "samples of the waits for locks": locks.samples,
        "  that showed a wait": len(waits),
        "  the longest, ms": _ms(max(waits, default=0.0)),
        "  beyond 50 ms": sum(each > BESIDE for each in waits),
        "  by what was going on, longest in ms": _longest(locks.waits),
        "errors and mixtures": len(problems),
        "  the first of them": problems[:1] or "-",
        "releases seen": len({release for one in seen for release in one.releases}),
    }


def _longest(waits: list[tuple[str, float]]) -> str:
    found: dict[str, float] = {}
    for doing, seconds in waits:
        found[doing] = max(found.get(doing, 0.0), seconds)
    return ", ".join(f"{doing}: {_ms(seconds)}" for doing, seconds in found.items()) or "none"


def _publish(house: House, number: int, *, wider: bool = False) -> None:
    run = begin(house.ctx, NIGHT + timedelta(days=number))
    _refill(house, run.slot, number, wider=wider)
    house.execute(f"update control.runs set gate_passed_at = clock_timestamp() where run_id = {run.run_id}")
    publish(house.ctx, run.run_id, (*NAMES, "segment_members"))


def _refill(house: House, slot: str, number: int, *, wider: bool = False) -> None:
    with house.ctx.warehouse.connect(autocommit=True) as connection:
        connection.execute("set client_min_messages = warning")
        kept = connection.execute("select fingerprint from control.slots where slot = %s", (slot,)).fetchone()
        if kept == (None,):
            connection.execute(f"drop schema if exists {slot} cascade")
        connection.execute(
            f"create schema if not exists {slot}; "
            f"create table if not exists {slot}.segment_members (segment text, customer_id text)"
        )
        more = ", note text" if wider else ""
        for name in NAMES:
            connection.execute(
                f"create table if not exists {slot}.{name} (release int, number int{more}); "
                f"delete from {slot}.{name}; "
                f"insert into {slot}.{name} select {number}, n from generate_series(1, {ROWS}) as n"
            )


def _rounds(house: House, twin: House, locks: LockWatch, phase: Any) -> None:
    for number in range(ROUNDS):
        phase.value = ALONE
        _round(twin, number, None)
        phase.value = UNDER
        _round(house, number, locks)
    phase.value = ENDED


def _round(house: House, number: int, locks: LockWatch | None) -> None:
    """Ten turns: the last two bring other columns, into one copy and then into the other."""
    turns = RELEASES // ROUNDS
    for turn in range(1, turns + 1):
        if turn == turns - 1:
            house.change_code(str(number))
        doing = "other columns" if turn >= turns - 1 else "rolling back" if turn % 5 == 3 else "switching"
        if locks:
            locks.doing = doing
        if doing == "rolling back":
            rollback(house.ctx, marts=(*NAMES, "segment_members"))
        else:
            wider = (number + (turn >= turns - 1)) % 2 == 1
            _publish(house, 2 + number * turns + turn, wider=wider)


def _measured(url: str, writer: Callable[[Any], None]) -> list[Seen]:
    """What the readers saw while ``writer`` worked and said what it did."""
    spawn = multiprocessing.get_context("spawn")
    phase, ready = spawn.Value("i", WAITING), spawn.Barrier(CONNECTIONS + 1)
    marts = [[NAMES[(number + step * 3) % len(NAMES)] for step in range(4)] for number in range(CONNECTIONS)]
    with spawn.Pool(CONNECTIONS, initializer=_reader.share, initargs=(phase, ready)) as pool:
        found = pool.starmap_async(_reader.read, [(url, each, THINK) for each in marts], chunksize=1)
        ready.wait(300)
        try:
            writer(phase)
        finally:
            phase.value = ENDED
        return list(found.get(120))


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[18]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
