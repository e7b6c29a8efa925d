"""A release candidate: what the suites of the release gate may know about the slot that is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.releases import catalog
from lifehouse.releases.run import Run


@dataclass(frozen=True)
class Delivery:
    """What of one source's table arrived with the loads that no release has shown yet."""

    source: str
    table: str
    loads: list[int]
    has_raw: bool
    has_quarantine: bool


@dataclass(frozen=True)
class Candidate:
    """``rows`` and ``served_rows`` count each mart in the judged and in the published copy (empty: nothing published).

    ``growth`` is how many times as many records are stored now as when the published release was built. The two
    are not comparable if the run speaks about an earlier instant, or is the first with records of some table.
    """

    run: Run
    rows: dict[str, int]
    served_rows: dict[str, int] = field(default_factory=dict)
    growth: float = 1.0
    is_comparable: bool = True
    deliveries: list[Delivery] = field(default_factory=list)

    def table(self, mart: str) -> str:
        """The judged copy of a mart, as SQL names it."""
        return f"{self.run.slot}.{mart}"

    @classmethod
    def read(cls, connection: psycopg.Connection[Any], run: Run, marts: list[str]) -> Candidate:
        """Count what is there; marts that the slot lacks are absent from ``rows``."""
        published = connection.execute(_PUBLISHED, {"loads": run.loads}).fetchone()
        slot, as_of, seen, growth, is_wider = published or (None, run.as_of, [], 1.0, False)
        return cls(
            run,
            rows=_count(connection, run.slot, marts),
            served_rows=_count(connection, slot, marts) if slot else {},
            growth=float(growth),
            is_comparable=run.as_of >= as_of and not is_wider,
            deliveries=[
                Delivery(*row) for row in connection.execute(_DELIVERIES, {"loads": run.loads, "seen": seen})
            ],
        )


def _count(connection: psycopg.Connection[Any], slot: str, marts: list[str]) -> dict[str, int]:
    counts = {}
    for mart in sorted(catalog.tables(connection, slot).keys() & set(marts)):
        row = connection.execute(
            sql.SQL("select count(*) from {}").format(sql.Identifier(slot, mart))
        ).fetchone()
        counts[mart] = int(row[0]) if row else 0
    return counts


_PUBLISHED = """
    select releases.slot, releases.as_of, runs.loads,
        coalesce(
            (select sum(loaded) from control.load_tables where load_id = any(%(loads)s))
            / nullif((select sum(loaded) from control.load_tables where load_id = any(runs.loads)), 0),
            1
        ),
        exists (
            select loads.source, tables.table_name
            from control.load_tables as tables inner join control.loads as loads using (load_id)
            where tables.loaded > 0 and tables.load_id = any(%(loads)s)
            except
            select loads.source, tables.table_name
            from control.load_tables as tables inner join control.loads as loads using (load_id)
            where tables.loaded > 0 and tables.load_id = any(runs.loads)
        )
    from control.published
    inner join control.releases using (release_id)
    inner join control.runs using (run_id)
"""

_DELIVERIES = """
    select loads.source, tables.table_name, array_agg(loads.load_id order by loads.load_id),
        to_regclass(format('%%I.%%I', 'raw_' || loads.source, tables.table_name)) is not null,
        to_regclass(format('quarantine.%%I', loads.source || '_' || tables.table_name)) is not null
    from control.load_tables as tables
    inner join control.loads as loads using (load_id)
    where loads.load_id = any(%(loads)s) and loads.load_id <> all(%(seen)s) and loads.baselined_at is null
    group by loads.source, tables.table_name
    order by loads.source, tables.table_name
"""
