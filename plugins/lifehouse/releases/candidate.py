"""A release candidate: what the suites of the release gate may know about the slot that is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.releases import catalog
from lifehouse.releases.expectation import Severity
from lifehouse.releases.run import Run
from lifehouse.releases.staged import Staged

_STEADY = (
    0.1  # share by which the stored records may have grown or shrunk for sizes to be held against one another
)
_WEEK = timedelta(days=8)


@dataclass(frozen=True)
class Delivery:
    """What of one source's table arrived with the loads that no release has shown yet."""

    source: str
    table: str
    loads: list[int]
    has_raw: bool
    has_quarantine: bool


@dataclass(frozen=True)
class Served:
    """The published release that the candidate would replace."""

    release_id: int
    slot: str
    as_of: datetime
    fingerprint: str
    loads: list[int]


@dataclass(frozen=True)
class Candidate:
    """``rows`` and ``served_rows`` count each mart in the judged and in the published copy (empty: nothing published).

    ``growth`` is how many times as many records are stored now as when the published release was built. The two
    are not comparable if the run speaks about an earlier instant, or is the first with records of some table.
    ``columns`` are those of both copies' tables, by slot and mart.
    """

    run: Run
    rows: dict[str, int]
    served_rows: dict[str, int] = field(default_factory=dict)
    growth: float = 1.0
    is_comparable: bool = True
    deliveries: list[Delivery] = field(default_factory=list)
    served: Served | None = None
    columns: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    staged: list[Staged] = field(default_factory=list)
    time_zone: str = "UTC"
    reporting_currency: str = "USD"

    def table(self, mart: str) -> str:
        """The judged copy of a mart, as SQL names it."""
        return f"{self.run.slot}.{mart}"

    def before(self, mart: str, *columns: str) -> str | None:
        """The published copy of a mart, if there is one with these columns, as SQL names it."""
        if self.served is None or not set(columns) <= self.columns.get(self.served.slot, {}).get(mart, set()):
            return None
        return f"{self.served.slot}.{mart}"

    @property
    def as_of(self) -> str:
        """The instant that the run speaks about, as a literal of SQL."""
        return f"timestamptz '{self.run.as_of.isoformat()}'"

    @property
    def is_other_code(self) -> bool:
        """Other code than the published release's built this one: what moved may be what the code should move."""
        return self.served is not None and self.served.fingerprint != self.run.fingerprint

    @property
    def is_taken_back(self) -> bool:
        """Loads that the published release shows are not in this one."""
        return self.served is not None and not set(self.served.loads) <= set(self.run.loads)

    def severity(self, wanted: Severity = "critical") -> Severity:
        """How grave it is that a size or a share moved since the published release.

        As wanted on an ordinary night: about as many records as before, and at most a week later. Other code, or
        loads that were taken back, may well move it: a warning at most. Else what arrived explains it: kept.
        """
        if self.served is None or not self.is_comparable or abs(self.growth - 1) > _STEADY:
            return "info"
        if self.run.as_of - self.served.as_of > _WEEK:
            return "info"
        return "warning" if wanted == "critical" and (self.is_other_code or self.is_taken_back) else wanted

    @classmethod
    def read(cls, connection: psycopg.Connection[Any], run: Run, marts: list[str], **facts: Any) -> Candidate:
        """Count what is there; marts that the slot lacks are absent from ``rows``.

        :param facts: time_zone and reporting_currency of the company, and its ``staged`` models.
        """
        published = connection.execute(_PUBLISHED, {"loads": run.loads}).fetchone()
        growth, is_wider, served = 1.0, False, None
        if published:
            *parts, growth, is_wider = published
            served = Served(*parts)
        seen = served.loads if served else []
        columns = {
            slot: {
                name: {column for column, _ in columns}
                for name, columns in catalog.tables(connection, slot).items()
            }
            for slot in catalog.SLOTS
        }
        return cls(
            run,
            rows=_count(connection, run.slot, columns[run.slot].keys() & set(marts)),
            served_rows=_count(connection, served.slot, columns[served.slot].keys() & set(marts))
            if served
            else {},
            growth=float(growth),
            is_comparable=served is None or (run.as_of >= served.as_of and not is_wider),
            deliveries=[
                Delivery(*row) for row in connection.execute(_DELIVERIES, {"loads": run.loads, "seen": seen})
            ],
            served=served,
            columns=columns,
            **facts,
        )


def _count(connection: psycopg.Connection[Any], slot: str, marts: set[str]) -> dict[str, int]:
    """One statement: a round trip for each mart would cost as much as the counting."""
    names = sorted(marts)
    if not names:
        return {}
    counts = sql.SQL(", ").join(
        sql.SQL("(select count(*) from {})").format(sql.Identifier(slot, name)) for name in names
    )
    row = connection.execute(sql.SQL("select {}").format(counts)).fetchone()
    return dict(zip(names, row or (), strict=True))


_PUBLISHED = """
    select releases.release_id, releases.slot, releases.as_of, releases.fingerprint, runs.loads,
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
