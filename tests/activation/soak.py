"""``make soak``: syncs are killed at random instants while the platform misbehaves; the figures say what was lost and doubled.

Three platforms, each with a history of its own: a webhook (it knows a repeated call by its key), a declared keyed one (HubSpot as
it is simulated), a declared one that only appends. ``KILLS`` and ``ROWS`` set the size.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appending import Events, declare_events
from fault_receiver import TOKEN, Receiver
from fault_receiver import Fault as ReceiverFault
from simulated import Fault
from vendors import Hubspot
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.context import Context

SENDING = {"batch_size": 100, "backoff": "5ms", "attempts": 8, "patience": "2s", "per_second": 2000}
GUARDS = {
    **{"max_refused": 1.0, "max_growth": None, "max_shrink": None},
    **{"max_consent_drop": None, "max_refused_before": None},
}
STAGES = ("new", "active", "loyal", "lost")


@dataclass
class Weather:
    """Stands where a platform's faults are taken from: while it is bad, one call in ``every`` meets one. ``met`` counts them."""

    kind: Callable[..., Any]
    random: random.Random
    every: int = 6
    is_bad: bool = True
    met: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.is_bad

    def popleft(self) -> Any:
        if self.random.randrange(self.every):
            return None
        faults = {
            "429 with Retry-After": self.kind(429, {"Retry-After": "0.02"}),
            "429 without": self.kind(429),
            "500": self.kind(500),
            "500, applied": self.kind(500, applied=True),
            "reset": self.kind(reset=True),
            "reset, applied": self.kind(reset=True, applied=True),
            "slow": self.kind(delay=0.2),
        }
        name = self.random.choice(list(faults))
        self.met[name] = self.met.get(name, 0) + 1
        return faults[name]

    @property
    def applied_and_lost(self) -> int:
        return sum(count for name, count in self.met.items() if "applied" in name)


@dataclass
class Figures:
    """What a history came to; rows, but for kills (``midway``: while sending), ``lives`` (syncs begun), calls, faults met.

    ``replaced`` by themselves were rows of a batch from which somebody had withdrawn while it was out: it is sent under
    another Idempotency-Key then.

    On a platform that only appends: ``doubled`` copies, at most ``bound`` (a batch for each kill and each lost answer), of
    ``twice`` rows, all among the ``said``, of which the ledger says that they may be there twice.
    """

    platform: str
    rows: int
    kills: int = 0
    midway: int = 0
    lives: int = 0
    calls: int = 0
    faults: int = 0
    refused: int = 0
    lost: int = 0
    stale: int = 0
    surplus: int = 0
    doubled: int = 0
    replaced: int | None = None
    bound: int | None = None
    twice: int | None = None
    said: int | None = None
    seconds: float = 0

    @property
    def holds(self) -> bool:
        is_told = (self.twice or 0) <= (self.said or 0)
        return self.lost == self.stale == self.surplus == 0 and self.doubled <= (self.bound or 0) and is_told


class History:
    """One platform, one company, many killed syncs; reproducible up to the instants by its seed."""

    spell = 0.4  # seconds within which a sync is killed

    def __init__(self, world: World, platform: Any, figures: Figures, seed: int) -> None:
        self.world, self.platform, self.figures = world, platform, figures
        self.random = random.Random(seed)
        kind = ReceiverFault if isinstance(platform, Receiver) else Fault
        self.weather = Weather(kind, random.Random(seed + 1))
        platform.faults = self.weather

    def play(self, kills: int) -> Figures:
        """Kill until as many syncs were killed; then fair weather, and what the platform holds against what it should."""
        began, is_idle = time.monotonic(), False
        self.prepare()
        while self.figures.kills < kills:
            self.change(much=is_idle)
            is_idle = not self.is_killed()
        self.weather.is_bad = False
        self.heal()
        self.world.sync()
        self.world.sync(only_failed=True)
        assert self.world.sync().calls == 0, "it does not come to rest"
        self.judge()
        count = self.world.ctx.warehouse.value
        self.figures.calls = self.served()
        self.figures.faults = sum(self.weather.met.values())
        self.figures.refused = count("select count(*) from activation.outbox where status = 'refused'")
        self.figures.seconds = time.monotonic() - began
        return self.figures

    def is_killed(self) -> bool:
        """A sync in a fork; whether it was killed before it ended: mostly after its first call, one time in five at any time."""
        self.figures.lives += 1
        before, seconds = self.served(), self.random.uniform(0, self.spell)
        is_early = self.random.random() < 0.2
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                self.world.sync()
            os._exit(0)
        began = time.monotonic() if is_early else None
        while began is None or time.monotonic() - began < seconds:
            if os.waitpid(child, os.WNOHANG)[0]:
                return False
            if began is None and self.served() > before:
                began = time.monotonic()
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        is_killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        self.figures.kills += is_killed
        self.figures.midway += is_killed and self.served() > before
        return is_killed

    def prepare(self) -> None:
        self.world.people(self.figures.rows)

    def change(self, *, much: bool) -> None:
        """A tenth changes, or half where nothing is left to do; some come and go, some withdraw."""
        sql, salt = self.world.sql, str(self.random.random())
        sql(
            "update marts.customers set status_stage = %s where abs(hashtext(customer_id || %s)) %% 10 < %s",
            *(self.random.choice(STAGES), salt, 5 if much else 1),
        )
        if self.random.random() < 0.3:
            sql("delete from marts.segment_members where abs(hashtext(customer_id || %s)) %% 100 = 7", salt)
            sql(
                """
                insert into marts.segment_members select 'champions', customer_id from marts.customers
                where abs(hashtext(customer_id || %s)) %% 50 = 3 on conflict do nothing
                """,
                salt,
            )
            sql(
                "update marts.consents set status = %s where abs(hashtext(customer_id || %s)) %% 200 = 9",
                *(self.random.choice(["granted", "withdrawn"]), salt),
            )

    def heal(self) -> None:
        """The platform refuses nobody any more."""

    def served(self) -> int:
        return len(self.platform.asked)

    def held(self) -> dict[str, str]:
        """Key → stage, of those that the platform holds through the sync."""
        raise NotImplementedError

    def doubled(self) -> int:
        raise NotImplementedError

    def judge(self) -> None:
        should = {
            row["email"]: row["status_stage"]
            for row in self.world.ctx.warehouse.rows(
                """
                select email, status_stage from marts.segment_members inner join marts.customers using (customer_id)
                inner join marts.consents using (customer_id) where status = 'granted'
                """
            )
        }
        held = self.held()
        self.figures.lost = len(should.keys() - held.keys())
        self.figures.surplus = len(held.keys() - should.keys())
        self.figures.stale = sum(held[key] != stage for key, stage in should.items() if key in held)
        self.figures.doubled = self.doubled()


def is_refused(key: str) -> bool:
    return key.endswith("7@example.com") and key[-16] in "05"


class OfReceiver(History):
    def prepare(self) -> None:
        super().prepare()
        self.platform.refuse = lambda action, key, fields: "blocked" if is_refused(key) else None
        self.world.declare(sending={**SENDING, "in_flight": 8}, guards=GUARDS)

    def heal(self) -> None:
        self.platform.refuse = lambda action, key, fields: None

    def served(self) -> int:
        return len(self.platform.requests)

    def held(self) -> dict[str, str]:
        return {key: fields["stage"] for key, fields in self.platform.held["push"].items()}

    def doubled(self) -> int:
        """Adds of whom it held, but for those of a batch that is another one since somebody in it withdrew while it was out.

        Such a batch has another Idempotency-Key; the rest of its rows replace themselves. A removal that was planned as one has
        no marks of fields.
        """
        rows = self.world.ctx.warehouse.rows(
            """
            select distinct record_key from activation.outbox where batch_id in (
                select batch_id from activation.outbox where action = 'remove' and field_marks is not null
            )
            """
        )
        renewed = {row["record_key"] for row in rows}
        self.figures.replaced = self.platform.doubled
        return sum(key not in renewed for key in self.platform.again)


class OfHubspot(History):
    def prepare(self) -> None:
        super().prepare()
        self.platform.refused = {key for key in self.keys() if is_refused(key)}
        fields = {"stage": "status_stage"}
        self.world.declare(
            platform="hubspot",
            options=Hubspot.options,
            fields=fields,
            sending={**SENDING, "in_flight": 8},
            guards=GUARDS,
        )

    def keys(self) -> list[str]:
        return [row["email"] for row in self.world.ctx.warehouse.rows("select email from marts.customers")]

    def heal(self) -> None:
        self.platform.refused = set()

    def held(self) -> dict[str, str]:
        return {key: self.platform.people[key]["stage"] for key in self.platform.members}

    def doubled(self) -> int:
        return len(self.platform.created) - len(set(self.platform.created))


class OfEvents(History):
    """Appends: the customers join little by little, so that each kill finds some of them on their way."""

    joined = 0
    spell = 0.15

    def prepare(self) -> None:
        super().prepare()
        self.world.sql("delete from marts.segment_members")
        declare_events(self.world, sending={**SENDING, "batch_size": 25}, guards=GUARDS)

    def change(self, *, much: bool, share: float = 1 / 150) -> None:
        many = max(50, int(self.figures.rows * share))
        self.world.sql(
            """
            insert into marts.segment_members select 'champions', customer_id from (
                select customer_id from marts.customers order by customer_id offset %s limit %s
            ) as coming
            """,
            self.joined,
            many,
        )
        self.joined += many

    def heal(self) -> None:
        self.change(much=True, share=1)

    def held(self) -> dict[str, str]:
        stages = self.world.ctx.warehouse.rows("select email, status_stage from marts.customers")
        return {row["email"]: row["status_stage"] for row in stages if row["email"] in self.platform.received}

    def doubled(self) -> int:
        """Copies; beside them how many there may be, and what the ledger says."""
        self.figures.bound = 25 * (self.figures.kills + self.weather.applied_and_lost)
        self.figures.twice = sum(count > 1 for count in self.platform.received.values())
        self.figures.said = self.world.ctx.warehouse.value(
            """
            select count(*) from activation.outbox where batch_id in (
                select batch_id from activation.batches where claims > 1
                union
                select batch_id from activation.calls where outcome = 'again' and status_code is distinct from 429
            )
            """
        )
        return self.platform.doubled


def soak(
    make_context: Callable[..., Context],
    folder: Path,
    kills: int,
    rows: int,
    seed: int = 1,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Figures]:
    """The figures of all three histories; ``tell`` hears how far it is."""
    found = []
    for name, platform, kind in (
        ("webhook", Receiver(), OfReceiver),
        ("hubspot", Hubspot(), OfHubspot),
        ("append-only", Events(), OfEvents),
    ):
        with platform:
            secret = TOKEN if kind is OfReceiver else "secret"
            connection = PlatformConnection(platform.url, secret=secret)
            world = World.founded(make_context, folder / name, connection)
            found.append(kind(world, platform, Figures(name, rows), seed).play(kills))
            tell(f"{name}: killed {found[-1].kills:,} times in {found[-1].seconds:,.0f} s")
    return found


def table(figures: list[Figures]) -> str:
    """A line a platform."""
    names = [
        *(
            "platform",
            "rows",
            "kills",
            "midway",
            "lives",
            "calls",
            "faults",
            "refused",
            "lost",
            "stale",
            "surplus",
        ),
        *("doubled", "replaced", "bound", "twice", "said", "seconds"),
    ]
    lines = [names]
    for one in figures:
        values = [getattr(one, name) for name in names]
        lines.append(
            [
                "" if value is None else f"{value:,.0f}" if not isinstance(value, str) else value
                for value in values
            ]
        )
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    return "\n".join(
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in lines
    )


def main() -> None:
    from lifehouse.home import Home
    from lifehouse.project import INSTALLATION, Project
    from lifehouse.warehouse.connection import Warehouse
    from support.databases import on_own_server

    with on_own_server("soak") as databases:
        home = databases.server.home.path

        def make(project_root: Path = INSTALLATION) -> Context:
            context = Context(Home(Path(tempfile.mkdtemp(dir=home))), Project(project_root))
            vars(context)["warehouse"] = Warehouse(databases.create())
            return context

        kills, rows = int(os.environ.get("KILLS") or 200), int(os.environ.get("ROWS") or 20_000)
        figures = soak(make, home, kills, rows, tell=lambda text: print(text, flush=True))
        print(table(figures))
    if not all(one.holds for one in figures):
        sys.exit("the promises do not hold")


if __name__ == "__main__":
    main()
