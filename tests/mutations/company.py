"""The demo company on the eve of a corrupted night: weeks of clean nights behind it, kept as template databases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.demo import shop
from lifehouse.demo.nights import midnight
from lifehouse.home import Home
from lifehouse.project import INSTALLATION, Project
from lifehouse.warehouse import control
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer
from mutations import crm_server
from support.databases import Databases

#: The night that is corrupted: what the sources hold at the beginning of this day.
TARGET = date(2017, 12, 30)
#: The templates: the sources on the eve's morrow; the warehouse on the eve, with one source's clean load of the
#: night, and with the night's release built and not yet judged.
SOURCES, EVE, CRM_IN, SHOP_IN, BUILT = "m_sources", "m_eve", "m_crm_in", "m_shop_in", "m_built"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Base:
    """Where the templates stand. ``alarms`` lists what a gate said of the clean nights before the corrupted one."""

    home: Path
    households: int
    nights: int
    alarms: list[str] = field(default_factory=list)

    @property
    def databases(self) -> Databases:
        return Databases(EmbeddedServer(Home(self.home)))

    @property
    def since(self) -> datetime:
        return midnight(TARGET - timedelta(days=1))

    @property
    def until(self) -> datetime:
        return midnight(TARGET)

    @contextmanager
    def clone(self, warehouse: str, worker: str) -> Iterator[tuple[Context, str]]:
        """A context on a fresh copy of a template, and the address of a fresh copy of the sources.

        The copies of one worker always have the same names: dbt parses anew when an address changes.
        """
        made = {f"{worker}_warehouse": warehouse, f"{worker}_sources": SOURCES}
        home = self.home / worker
        home.mkdir(mode=0o711, exist_ok=True)
        urls = []
        for name, template in made.items():
            url = self.databases.server.url_of(name)
            self.databases.drop(url)
            urls.append(self.databases.create(name, template))
        try:
            yield _context(home, urls[0]), urls[1]
        finally:
            for url in urls:
                self.databases.drop(url)


def build(home: Path, households: int, nights: int, built: int, say: Say = lambda _: None) -> Base:
    """Play ``nights`` clean nights up to the eve, the last ``built`` of them (and the first) with a release."""
    base = Base(home, households, nights)
    url = base.databases.create(EVE, None)
    sources = base.databases.create(SOURCES, None)
    with psycopg.connect(url) as connection:
        control.migrate(connection)
    ctx = _context(home, url)
    days = [TARGET - timedelta(days=back) for back in range(nights, 0, -1)]
    for number, day in enumerate(days):
        say(f"clean night {number + 1} of {nights}: {day}")
        advance(sources, midnight(day), households)
        with reading(sources):
            for source in ("shop", "crm"):
                take_in(ctx, source)
        if number == 0 or number >= nights - built:
            run = stations.begin(ctx, midnight(day))
            for station in (stations.core, stations.release, stations.release_gate, stations.publish):
                station(ctx, run.run_id)
        _age(ctx, nights - number)
    base.alarms.extend(alarms(ctx))
    say(f"the night itself: {TARGET}")
    advance(sources, base.until, households)
    for template, source in ((CRM_IN, "crm"), (SHOP_IN, "shop")):
        half = _context(home, base.databases.create(template, EVE))
        with reading(sources):
            take_in(half, source)
    whole = _context(home, base.databases.create(BUILT, CRM_IN))
    with reading(sources):
        take_in(whole, "shop")
    run = stations.begin(whole, base.until)
    stations.core(whole, run.run_id)
    stations.release(whole, run.run_id)
    return base


def advance(sources: str, as_of: datetime, households: int) -> None:
    """Bring shop and CRM to ``as_of``."""
    shop.advance(sources, as_of, households)
    crm_server.advance(sources, as_of, households)


@contextmanager
def reading(sources: str, wire: str = "") -> Iterator[None]:
    """While the block runs, the declarations find shop and CRM in the database ``sources``."""
    with crm_server.serving(sources, wire) as crm_url:
        set_for_it = {
            "LIFEHOUSE_SHOP_URL": sources,
            "LIFEHOUSE_CRM_URL": crm_url,
            "LIFEHOUSE_CRM_TOKEN": "not asked for",
            "LIFEHOUSE_CLOCK": "off",
        }
        before = {name: os.environ.get(name) for name in set_for_it}
        os.environ.update(set_for_it)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def take_in(ctx: Context, source: str) -> int | None:
    """Ingest a source and judge its load; None when nothing new came."""
    load_id = stations.ingest(ctx, source)
    if load_id is not None:
        stations.raw_gate(ctx, load_id)
    return load_id


def alarms(ctx: Context, after: int = 0) -> list[str]:
    """What the gates said did not hold, and what was set aside, since result ``after``."""
    rows = ctx.warehouse.rows(
        "select gate, severity, subject, column_name, meaning, observed, failed from control.quality_results "
        "where not success and severity in ('critical', 'warning') and result_id > %s order by result_id",
        (after,),
    )
    return [
        f"{row['gate']} gate, {row['severity']}: {row['subject']}"
        + (f".{row['column_name']}" if row["column_name"] else "")
        + f": {row['meaning']} (found: {row['failed'] or row['observed']})"
        for row in rows
    ]


def _context(home: Path, url: str) -> Context:
    ctx = Context(Home(home), Project(INSTALLATION))
    vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
    return ctx


def _age(ctx: Context, days: int) -> None:
    """Let the night's loads be ``days`` old, as they would be had the nights been lived through."""
    ctx.warehouse.execute(
        "update control.loads set opened_at = opened_at - make_interval(days => %(days)s), "
        "decided_at = decided_at - make_interval(days => %(days)s) "
        "where opened_at > clock_timestamp() - interval '12 hours'",
        {"days": days},
    )
