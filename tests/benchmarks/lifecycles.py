"""Lifecycles: who is who, the timeline and all seven lifecycles in full, with 1 % changed, and with nothing.

A seeded company of 100 thousand customers and 2 million events, or (``SIZE=large``) of 1 million and 20 million, in logged
tables with a warm cache and the settings of the embedded server. The unit is one sorted pass over the same timeline, before
and after. `SQL` is what dbt's models took, added up, `fixed` what a
station took beside them (start, parse); sorted passes and shares are of SQL. What the server's processes worked says more
than the clock where others share the machine. Then, on the same
data: what people do today, a dbt snapshot of the current stages each night.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import _snapshots
from benchmarks._company import Company
from benchmarks._meter import Meter, Spent, peak
from lifehouse.releases.run import Run
from support.databases import Databases

PEOPLE = {"quick": 100_000, "large": 1_000_000}
_PASS = """
    create table bench.unit as
    select *, row_number() over (partition by customer_id order by occurred_at, event_id) as place
    from core.customer_events
"""
_COUNTS = """
    select format('%s customers, %s events, %s stays in a stage',
        to_char((select count(*) from core.customer_registry), 'FM999,999,999'),
        to_char((select count(*) from core.customer_events), 'FM999,999,999'),
        to_char((select count(*) from {slot}.stage_history), 'FM999,999,999'))
"""


def run(databases: Databases) -> Iterator[tuple[str, object]]:
    size = os.environ.get("SIZE") or "quick"
    if size not in PEOPLE:
        raise SystemExit(f"SIZE={size}: there is {' and '.join(PEOPLE)}")
    folder, url = Path(tempfile.mkdtemp(prefix="lifehouse-bench-")), databases.create()
    try:
        company, meter = Company.found(folder, url, PEOPLE[size]), Meter(databases.server)
        yield from _nights(company, meter)
        if size == "quick":
            yield from _snapshots.nights(company, meter)
    finally:
        databases.drop(url)
        shutil.rmtree(folder, ignore_errors=True)


def _nights(company: Company, meter: Meter) -> Iterator[tuple[str, object]]:
    before, night = peak(), company.night()
    yield from _core(company, meter, night, "full")
    units = [_unit(company, meter)]
    full, told = _stages(company, meter, night, "full", full=True)
    yield from told
    units.append(_unit(company, meter))
    yield "one sorted pass over the timeline, before", units[0]
    yield "one sorted pass over the timeline, after", units[1]
    yield "full: all seven lifecycles, in sorted passes", _ratio(full, units)
    yield "what there is", company.value(_COUNTS.replace("{slot}", night.building_slot))
    night = company.night()
    yield "1 % changed: customers", company.one_in(100, night)
    yield from _core(company, meter, night, "1 % changed")
    some, told = _stages(company, meter, night, "1 % changed")
    yield from told
    yield "1 % changed: lifecycles, share of full", _share(some, full)
    night = company.quiet_night()
    yield from _core(company, meter, night, "nothing changed")
    yield from _stages(company, meter, night, "nothing changed")[1]
    yield "the most memory of Python, at the beginning and in all", f"{before}, {peak()}"


def _core(company: Company, meter: Meter, night: Run, title: str) -> Iterator[tuple[str, object]]:
    spent, counts = meter.measure(lambda: company.core(night))
    inside = counts["seconds"] + sum(counts["models"].values())
    models = {name: seconds for name, seconds in counts["models"].items() if not name.startswith("stg_")}
    timeline = models.get("customer_events", 0.0)
    yield f"{title}: staging, who is who, timeline", spent
    yield f"{title}:   who is who", f"{counts['seconds']:,.2f} s"
    yield (
        f"{title}:   SQL of the timeline, of all of core",
        f"{timeline:,.2f} s, {sum(models.values()):,.2f} s",
    )
    yield f"{title}:   fixed", f"{max(spent.seconds - inside, 0.0):,.2f} s"


def _stages(
    company: Company, meter: Meter, night: Run, title: str, *, full: bool = False
) -> tuple[Spent, list[tuple[str, object]]]:
    """What the lifecycles took, their mart not among it, and the figures to tell."""
    told: list[tuple[str, object]] = []
    taken = []
    for what, models in (
        ("all seven lifecycles", "path:models/lifecycle"),
        ("their mart, stage_history", "stage_history"),
    ):
        spent, results = meter.measure(lambda models=models: company.lifecycles(night, models, full=full))
        inside = sum(result.seconds for result in results)
        told.append((f"{title}: {what}", spent))
        told.append((f"{title}:   SQL, fixed", f"{inside:,.2f} s, {max(spent.seconds - inside, 0.0):,.2f} s"))
        taken.append(Spent(inside, spent.server, spent.python))
    company.built = night.change_seq
    return taken[0], told


def _unit(company: Company, meter: Meter) -> Spent:
    company.ctx.warehouse.execute("drop table if exists bench.unit")
    return meter.of(lambda: company.ctx.warehouse.execute(_PASS))


def _ratio(whole: Spent, units: list[Spent]) -> str:
    def passes(of: Callable[[Spent], float]) -> float:
        return of(whole) * len(units) / sum(map(of, units))

    return f"{passes(lambda spent: spent.seconds):.1f} on the clock, {passes(lambda spent: spent.server):.1f} of work"


def _share(part: Spent, whole: Spent) -> str:
    return f"{part.seconds / whole.seconds:.1%} on the clock, {part.server / whole.server:.1%} of the server's work"
