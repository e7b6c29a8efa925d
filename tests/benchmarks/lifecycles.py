"""Lifecycles: who is who, the timeline and all seven lifecycles in full, with 1 % changed, and with nothing.

A seeded company of 100 thousand customers and 2 million events, or (``SIZE=large``) of 1 million and 20 million, or
(``SIZE=medium``) of 300 thousand and 6 million, in logged tables with a warm cache and the settings of the embedded
server. The unit is one sorted pass over the same timeline, before and after. `SQL` is what the statements of dbt's models
took, added up, `fixed` what dbt took beside them (start, parse, templates); sorted passes and shares are of SQL. What the
server's processes worked says more than the clock where others share the machine. Then, on the same data: what people do
today, a dbt snapshot of the current stages each night.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import _snapshots, _statements
from benchmarks._company import Company
from benchmarks._meter import Meter, Spent, peak
from lifehouse.releases.run import Run
from support.databases import Databases

PEOPLE = {"quick": 100_000, "medium": 300_000, "large": 1_000_000}
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
        meter = Meter(databases.server)
        spent, company = meter.measure(lambda: Company.found(folder, url, PEOPLE[size]))
        yield "the generator", spent
        yield from _nights(company, meter)
        yield "on disk", company.value("select pg_size_pretty(pg_database_size(current_database()))")
        if size == "quick":
            yield from _snapshots.nights(company, meter)
    finally:
        databases.drop(url)
        shutil.rmtree(folder, ignore_errors=True)


def _nights(company: Company, meter: Meter) -> Iterator[tuple[str, object]]:
    before, night = peak(), company.night()
    core, told = _core(company, meter, night, "full")
    yield from told
    units = [_unit(company, meter)]
    full, told = _stages(company, meter, night, "full", full=True)
    yield from told
    units.append(_unit(company, meter))
    company.ctx.warehouse.execute("drop table bench.unit")  # of 20 million events 5 GB
    yield "one sorted pass over the timeline, before", units[0]
    yield "one sorted pass over the timeline, after", units[1]
    yield "full: all seven lifecycles, in sorted passes", _ratio(full, units)
    yield "what there is", company.value(_COUNTS.replace("{slot}", night.building_slot))
    yield "cleaned up behind the full build, as the server does by itself", meter.of(company.vacuum)
    yield "read once, for a warm cache", meter.of(company.warm)
    whole = peak()
    for number, share in ((100, "1 %"), (1000, "0.1 %")):
        night = company.night()
        yield f"{share} changed: customers", company.one_in(number, night)
        some_core, told = _core(company, meter, night, f"{share} changed")
        yield from told
        some, told = _stages(company, meter, night, f"{share} changed")
        yield from told
        yield f"{share} changed: staging, who is who, core: share of full", _share(some_core, core)
        yield f"{share} changed: lifecycles, share of full", _share(some, full)
        yield f"{share} changed: all of it, share of full", _share(some_core + some, core + full)
    night = company.quiet_night()
    yield from _core(company, meter, night, "nothing changed")[1]
    yield from _stages(company, meter, night, "nothing changed")[1]
    yield (
        "the most memory of Python: at the beginning, in full builds, in all",
        f"{before}, {whole}, {peak()}",
    )


Told = list[tuple[str, object]]


def _core(company: Company, meter: Meter, night: Run, title: str) -> tuple[Spent, Told]:
    """What staging, who is who and core took, without what dbt took beside its statements; and the figures to tell."""
    with _statements.timed() as seconds:
        spent, counts = meter.measure(lambda: company.core(night))
    models = {name: took for name, took in seconds.items() if not name.startswith("stg_")}
    inside = sum(models.values())
    slowest = sorted(models.items(), key=lambda model: -model[1])[:6]
    told: Told = [
        (f"{title}: staging, who is who, timeline", spent),
        (f"{title}:   who is who", f"{counts['seconds']:,.2f} s"),
        (
            f"{title}:   SQL of staging, of all of core",
            f"{sum(seconds.values()) - inside:,.2f} s, {inside:,.2f} s",
        ),
        (f"{title}:   of it", ", ".join(f"{name} {took:,.2f}" for name, took in slowest)),
    ]
    return Spent(sum(seconds.values()) + counts["seconds"], spent.server, spent.python), told


def _stages(
    company: Company, meter: Meter, night: Run, title: str, *, full: bool = False
) -> tuple[Spent, Told]:
    """What the lifecycles took, declared and recorded, with their mart, its indexes and statistics; and the figures to tell."""
    with _statements.timed() as seconds:
        spent = meter.of(
            lambda: company.lifecycles(night, "path:models/lifecycle", "stage_history", full=full)
        )
    company.built = night.change_seq
    inside = sum(seconds.values())
    told: Told = [
        (f"{title}: all seven lifecycles, their mart", spent),
        (f"{title}:   SQL, fixed", f"{inside:,.2f} s, {max(spent.seconds - inside, 0.0):,.2f} s"),
    ]
    return Spent(inside, spent.server, spent.python), told


def _unit(company: Company, meter: Meter) -> Spent:
    company.ctx.warehouse.execute("drop table if exists bench.unit")
    return meter.of(lambda: company.ctx.warehouse.execute(_PASS))


def _ratio(whole: Spent, units: list[Spent]) -> str:
    def passes(of: Callable[[Spent], float]) -> float:
        return of(whole) * len(units) / sum(map(of, units))

    return f"{passes(lambda spent: spent.seconds):.1f} on the clock, {passes(lambda spent: spent.server):.1f} of work"


def _share(part: Spent, whole: Spent) -> str:
    return f"{part.seconds / whole.seconds:.1%} on the clock, {part.server / whole.server:.1%} of the server's work"
