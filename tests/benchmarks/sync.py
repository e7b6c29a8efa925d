"""Syncs beside drt-core: the same rows out of the same Postgres to the same server, batches of 100.

Rows a second without delay, what is reached of a server that takes 50 ms and of a rate limit, what 100,000 HubSpot contacts
cost, a plan over a million members beside one hash join, a quiet sync, and the memory of Python. Each sync is a process of its
own; the receiver is another.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.activation.world import World

from benchmarks._drt import Drt
from benchmarks._meter import Meter
from benchmarks._receiver import Receiver, Seen, asked_bare, ceiling, receiving
from benchmarks._sending import send
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import find_sync
from lifehouse.activation.plan import plan, propose
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases
from support.environments import Unavailable

ROWS, MEMBERS = 100_000, 1_000_000
BATCH, DELAY, WIDTH, LIMIT = 100, 0.050, 8, 100
ROUNDS = int(os.environ.get("ROUNDS") or 2)

Figures = Iterator[tuple[str, object]]


def run(databases: Databases) -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="lifehouse-bench-"))
    try:
        yield from _without_delay(databases, folder / "rows")
        yield from _with_delay(databases, folder / "delay")
        yield from _with_limit(databases, folder / "limit")
        yield from _hubspot(databases, folder / "hubspot")
        yield from _plan_of_many(databases, folder / "plan")
        yield from _memory(databases, folder / "memory")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _without_delay(databases: Databases, folder: Path) -> Figures:
    """Rounds take turns, so that both have the same machine."""
    meter, ours, theirs = Meter(databases.server), [], {1_000: [], 10_000: []}
    with receiving() as receiver:
        yield "the receiver's own ceiling, rows/s", f"{ceiling(receiver):,.0f}"
        for number in range(1, ROUNDS + 1):
            with _company(databases, folder / str(number), receiver, ROWS) as world:
                world.declare(sending={"in_flight": WIDTH})
                spent, sent = meter.measure(lambda world=world: send(world))
                seen = receiver.seen()
                assert seen.rows == sent.confirmed == ROWS
                ours.append(_rates(seen, sent.seconds, sent.whole))
                yield (
                    f"{number}: {ROWS:,} rows without delay, ours, rows/s",
                    f"{_told(ours[-1])}; server worked {spent.server:.1f} s, python {sent.worked:.1f} s",
                )
                drt = Drt(folder / "drt", world.ctx.warehouse.url)
                try:
                    for size, rates in theirs.items():
                        done = drt.run(receiver, batch_size=size)
                        assert done.seen.rows == ROWS
                        rates.append(_rates(done.seen, done.told, done.seconds))
                        yield f"{number}: drt-core, batch_size {size:,}, rows/s", _told(rates[-1])
                except Unavailable as reason:
                    yield "drt-core", reason
    for size, rates in theirs.items():
        if rates:
            best = [max(one) / max(other) for one, other in zip(zip(*ours), zip(*rates), strict=True)]  # noqa: B905
            yield (
                f"ours / drt's with batch_size {size:,}, best rounds (aim: 1.5)",
                "{:.2f} while sending, {:.2f} as both tell, {:.2f} of the whole commands".format(*best),
            )


def _rates(seen: Seen, told: float, whole: float) -> tuple[float, float, float]:
    """Rows a second: while sending, of the seconds that the program tells of the sync, of the whole command."""
    return seen.rows_per_second, ROWS / told, ROWS / whole


def _told(rates: tuple[float, float, float]) -> str:
    return "{:,.0f} while sending, {:,.0f} as it tells, {:,.0f} with the process's start".format(*rates)


def _with_delay(databases: Databases, folder: Path) -> Figures:
    rows = 60_000
    with receiving(DELAY) as receiver, _company(databases, folder, receiver, rows) as world:
        world.declare(sending={"in_flight": WIDTH})
        send(world)
        seen = receiver.seen()
        yield (
            f"a server that takes 50 ms, {WIDTH} in flight, ours: share of {WIDTH} ÷ 50 ms (aim: 90 %)",
            f"{seen.requests_per_second / (WIDTH / DELAY):.1%}: {seen.requests_per_second:,.0f} calls/s, "
            f"{seen.rows_per_second:,.0f} rows/s, {seen.at_once} at once",
        )
        bare = asked_bare(receiver, rows // BATCH, WIDTH)
        yield (
            "the same, loops that ask and do nothing else",
            f"{bare.requests_per_second / (WIDTH / DELAY):.1%}",
        )
        with _drt_if_there() as there:
            theirs = Drt(folder / "drt", world.ctx.warehouse.url).run(receiver).seen
            yield (
                "the same, drt-core, which has one call in flight",
                f"{theirs.requests_per_second:,.0f} calls/s, {theirs.rows_per_second:,.0f} rows/s, {theirs.at_once} at once",
            )
        if there.reason:
            yield "drt-core", there.reason


def _with_limit(databases: Databases, folder: Path) -> Figures:
    with receiving() as receiver, _company(databases, folder, receiver, ROWS) as world:
        world.declare(sending={"in_flight": WIDTH, "per_second": LIMIT})
        send(world)
        for who, seen in (("ours", receiver.seen()), *_drt_limited(folder, world, receiver)):
            rate = (seen.requests - 1) / seen.seconds
            yield (
                f"a limit of {LIMIT} calls a second, {who}: share of it (aim: 95 %)",
                f"{rate / LIMIT:.1%}; the most in any second {seen.in_a_second}",
            )


def _drt_limited(folder: Path, world: World, receiver: Receiver):
    with _drt_if_there():
        yield "drt-core", Drt(folder / "drt", world.ctx.warehouse.url).run(receiver, per_second=LIMIT).seen


def _hubspot(databases: Databases, folder: Path) -> Figures:
    with receiving() as receiver, _company(databases, folder, receiver, ROWS) as world:
        world.declare(
            platform="hubspot",
            options={"list_id": "42"},
            fields={"firstname": "first_name"},
            sending={"per_second": 5_000},
        )
        expected = plan(world.ctx, "push").calls
        sent = send(world)
        paths = receiver.seen().paths
        upserts = sum(count for path, count in paths.items() if path.endswith("/upsert"))
        yield (
            f"{ROWS:,} HubSpot contacts: upsert calls (aim: {ROWS // BATCH:,})",
            f"{upserts:,}; with those into the list {sent.calls:,}, as planned ({expected:,})",
        )
        calls = send(world).calls
        yield "a quiet sync: calls", f"{calls}, and the receiver saw {receiver.seen().requests}"


def _plan_of_many(databases: Databases, folder: Path) -> Figures:
    with receiving() as receiver, _company(databases, folder, receiver, MEMBERS) as world:
        world.declare()
        _acknowledge(world)
        world.sql("update marts.customers set first_name = 'Anna' where right(customer_id, 2) = '00'")
        world.sql("vacuum analyze")
        meter, joins, plans = Meter(databases.server), [], []
        with world.ctx.warehouse.connect() as connection:
            connection.execute("set max_parallel_workers_per_gather = 0")  # one process, as a plan is
            for _ in range(3):
                joins.append(meter.of(lambda: connection.execute(_JOIN)))
                plans.append(meter.of(lambda: plan(world.ctx, "push")))
        proposed = plan(world.ctx, "push")
        assert (proposed.changes, proposed.rows) == (MEMBERS // 100, MEMBERS // 100)
        clock, worked = (
            [min(getattr(spent, what) for spent in spents) for spents in (joins, plans)]
            for what in ("seconds", "server")
        )
        yield (
            f"one hash join of {MEMBERS:,} members with their fields and what is held",
            f"{clock[0]:.2f} s (the server worked {worked[0]:.2f} s)",
        )
        yield (
            f"plan over {MEMBERS:,} members, 1 % changed (aim: 2 joins)",
            f"{clock[1]:.2f} s (the server worked {worked[1]:.2f} s): {clock[1] / clock[0]:.2f} joins by the clock, "
            f"{worked[1] / worked[0]:.2f} by work",
        )


#: Who should be there with what, against who is there with what: each side is read once.
_JOIN = """
select count(*)
from (
    select
        customers.email as record_key,
        md5(jsonb_build_object(
            'name', customers.first_name, 'stage', customers.status_stage, 'revenue', customers.net_revenue
        )::text) as field_hash
    from marts.segment_members as segment
    inner join marts.customers as customers using (customer_id)
    where segment.segment = 'champions'
) as desired
full outer join activation.records as records using (record_key)
where desired.field_hash is distinct from records.field_hash
"""


def _memory(databases: Databases, folder: Path) -> Figures:
    peaks = {}
    with receiving() as receiver:
        for rows in (10_000, MEMBERS):
            with _company(databases, folder / str(rows), receiver, rows) as world:
                world.declare(sending={"in_flight": WIDTH})
                sent = send(world)
                assert sent.confirmed == rows
                peaks[rows] = sent.peak
                yield (
                    f"{rows:,} rows: the most memory of Python",
                    f"{sent.peak:,.0f} MB ({rows / sent.seconds:,.0f} rows/s)",
                )
    yield "memory of a million beside ten thousand (aim: flat)", f"{peaks[MEMBERS] / peaks[10_000]:.2f}"


class _There:
    reason: Unavailable | None = None


@contextmanager
def _drt_if_there() -> Iterator[_There]:
    there = _There()
    try:
        yield there
    except Unavailable as reason:
        there.reason = reason


@contextmanager
def _company(databases: Databases, folder: Path, receiver: Receiver, members: int) -> Iterator[World]:
    """A company of champions in a database of its own, whose platform is the receiver."""
    folder.mkdir(parents=True)
    url = databases.create()

    def made(project_root: Path) -> Context:
        ctx = Context(Home(folder / "home"), Project(project_root))
        ctx.home.path.mkdir(mode=0o711)
        vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
        return ctx

    world = World.founded(made, folder / "project", PlatformConnection(receiver.url, secret="secret"))
    world.people(members)
    world.sql("vacuum analyze")
    try:
        yield world
    finally:
        databases.drop(url)


def _acknowledge(world: World) -> None:
    """Let the platform hold the segment as it is, without sending it."""
    order = find_sync(world.ctx.project, "push")
    with world.ctx.warehouse.connect() as connection:
        propose(connection, order)
        connection.execute(
            """
            insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at)
            select %s, %s, record_key, customer_id, field_hash, clock_timestamp() from members
            """,
            (order.account_name, order.sync),
        )
