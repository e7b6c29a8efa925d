"""Identity: a million identifiers from nothing, and a night in which one person in a hundred changed.

250,000 people with two records each, every record with an e-mail or a phone of theirs and a card, a tenth of them joined to
somebody else by a typing error; logged tables, one database. `normalise` is the Python part, which is paid once a spelling.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from random import Random

from tests.identity.town import Identifier, Record, Town

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.identity import resolve as step
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse
from support.databases import Databases

PEOPLE = 250_000


def run(databases: Databases) -> dict[str, object]:
    url, folder = databases.create(), Path(tempfile.mkdtemp(prefix="lifehouse-bench-"))
    try:
        (folder / "lifehouse.yml").write_text("company: Bench\nreporting_currency: EUR\n")
        ctx = Context(Home(folder / "home"), Project(folder))
        vars(ctx)["warehouse"] = Warehouse(url)  # the cached property, preset
        return _measure(Town.found(ctx))
    finally:
        databases.drop(url)
        shutil.rmtree(folder, ignore_errors=True)


def _measure(town: Town) -> dict[str, object]:
    records = dict(pair for number in range(PEOPLE) for pair in _person(number, Random(number)))
    identifiers = sum(map(len, records.values()))
    normal, began = step.normaliser(town.ctx), time.perf_counter()
    for (source, _), theirs in records.items():
        for kind, value in theirs:
            normal(source, kind, value)
    normalised = time.perf_counter() - began
    first, counts = _timed(town, records, full=True)
    changed = {
        record: frozenset({("email", f"new{number}@example.com")})
        for number, record in enumerate(list(records)[::100])
    }
    night, night_counts = _timed(town, changed)
    again, _ = _timed(town, changed)
    full, _ = _timed(town, {}, full=True)
    return {
        "records, identifiers": f"{len(records):,}, {identifiers:,}",
        "customers": f"{counts['customers']:,}",
        "normalise all of them, s": f"{normalised:.1f}",
        "from nothing, s (normalise included)": f"{first:.1f}",
        "full again, nothing new to normalise, s": f"{full:.1f}",
        f"a night with {len(changed):,} changed records, s": f"{night:.2f}",
        "  records looked at": f"{night_counts['records']:,}",
        "the same records again, unchanged, s": f"{again:.2f}",
    }


def _person(number: int, dice: Random) -> list[tuple[Record, frozenset[Identifier]]]:
    email, card = ("email", f"Person.{number}@Example.com"), ("loyalty_card", f"44-{number:08}")
    slip = ("email", f"person.{max(number - 1, 0)}@example.com")
    return [
        (("crm", f"{number}"), frozenset({slip if dice.random() < 0.1 else email, card})),
        (("shop", f"{number}"), frozenset({email, ("phone", f"+49 30 {1_000_000 + number}")})),
    ]


def _timed(
    town: Town, records: dict[Record, frozenset[Identifier]], *, full: bool = False
) -> tuple[float, dict[str, int]]:
    told = town.tell(records)
    began = time.perf_counter()
    counts = town.resolve(told, full=full)
    return time.perf_counter() - began, counts
