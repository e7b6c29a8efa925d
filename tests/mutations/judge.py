"""One corruption, injected on its own into a copy of everything, and what the house said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.errors import GateClosed, LifehouseError
from mutations import company
from mutations.company import BUILT, CRM_IN, SHOP_IN, Base
from mutations.corruption import Corruption


@dataclass(frozen=True)
class Verdict:
    """Who caught a corruption before publication (empty: nobody), the first sentence of it, and what was only told."""

    caught_by: str
    sentences: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def caught(self) -> bool:
        return bool(self.caught_by)


def judge(base: Base, corruption: Corruption, worker: str = "w1") -> Verdict:
    """Corrupt the night in a copy of its own and play it up to publication."""
    template = {"shop": CRM_IN, "crm": SHOP_IN, "marts": BUILT}[corruption.where]
    with base.clone(template, worker) as (ctx, sources):
        seen = ctx.warehouse.value("select coalesce(max(result_id), 0) from control.quality_results")
        try:
            if corruption.where == "marts":
                _corrupt_marts(base, ctx, corruption)
                stations.release_gate(ctx, ctx.warehouse.value("select run_id from control.current_run"))
            else:
                _corrupt_source(base, sources, corruption)
                with company.reading(sources, corruption.wire):
                    load_id = company.take_in(ctx, corruption.where)
                aside = _set_aside(ctx, load_id)
                if aside:
                    return Verdict("set aside", aside)
                _build(ctx, base.until)
        except GateClosed as closed:
            return Verdict(f"{closed.gate} gate", closed.failures)
        except LifehouseError as error:
            return Verdict("station", [str(error)])
        return Verdict("", told=company.alarms(ctx, seen) + _late(ctx))


def _corrupt_source(base: Base, sources: str, corruption: Corruption) -> None:
    schema = "crm" if corruption.where == "crm" else "public"
    facts = {"since": _literal(base.since), "until": _literal(base.until)}
    with psycopg.connect(sources, options=f"-c timezone=UTC -c search_path={schema}") as connection:
        for statement in corruption.how:
            connection.execute(statement.format(**facts))


def _corrupt_marts(base: Base, ctx: Context, corruption: Corruption) -> None:
    slot = ctx.warehouse.value(
        "select runs.slot from control.runs inner join control.current_run using (run_id)"
    )
    served = "green" if slot == "blue" else "blue"
    with ctx.warehouse.connect() as connection:
        for statement in corruption.how:
            connection.execute(statement.format(slot=slot, served=served, as_of=_literal(base.until)))


def _build(ctx: Context, as_of: datetime) -> None:
    run = stations.begin(ctx, as_of)
    for station in (stations.core, stations.release, stations.release_gate):
        station(ctx, run.run_id)


def _set_aside(ctx: Context, load_id: int | None) -> list[str]:
    rows: list[dict[str, Any]] = ctx.warehouse.rows(
        "select source, table_name, column_name, quarantined.reason, rows from control.quarantined "
        "inner join control.loads using (load_id) where load_id = %s order by table_name, column_name",
        (load_id,),
    )
    return [
        f"{row['source']}.{row['table_name']}.{row['column_name']}: {row['rows']:,} records: {row['reason']}"
        for row in rows
    ]


def _late(ctx: Context) -> list[str]:
    late = ctx.warehouse.value("select late_sources from control.runs order by run_id desc limit 1")
    return [f"late: {', '.join(late)}"] if late else []


def _literal(moment: datetime) -> str:
    return f"'{moment.isoformat()}'"
