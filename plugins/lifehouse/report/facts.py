"""What a report is made of, read in one transaction: so that it never mixes two releases."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from lifehouse.context import Context
from lifehouse.project import Company
from lifehouse.report import queries, words

Row = dict[str, Any]
_CHANNELS = ("email", "sms", "phone", "post", "ads")


@dataclass(frozen=True)
class Lifecycle:
    """One lifecycle: its stages in order with their customers, the moves since the release before, and those to come."""

    name: str
    stages: list[Row]
    moves: list[Row]
    coming: list[Row]

    @property
    def title(self) -> str:
        """What it is called on the page; a recorded one as its label says."""
        first = next(iter(self.stages), None)
        return first["lifecycle_label_en"] if first and first["is_recorded"] else words.title(self.name)

    @property
    def customers(self) -> int:
        return sum(stage["customers"] for stage in self.stages)

    def label(self, stage: str | None) -> str:
        """The stage's English label; of None, what a customer is before the first stage."""
        return next(
            (row["label_en"] for row in self.stages if row["stage"] == stage), stage or "not known before"
        )

    def gained(self, stage: str) -> int:
        return sum(move["customers"] for move in self.moves if move["went_to"] == stage)

    def lost(self, stage: str) -> int:
        return sum(move["customers"] for move in self.moves if move["came_from"] == stage)


@dataclass
class Facts:
    """Everything a report shows. ``missing`` names the parts that this warehouse does not have, and why."""

    company: Company
    release: Row | None = None
    releases: list[Row] = field(default_factory=list)
    totals: Row = field(default_factory=dict)
    sales: list[Row] = field(default_factory=list)
    lifecycles: list[Lifecycle] = field(default_factory=list)
    segments: list[Row] = field(default_factory=list)
    campaigns: list[Row] = field(default_factory=list)
    weeks: list[Row] = field(default_factory=list)
    gates: list[Row] = field(default_factory=list)
    loads: list[Row] = field(default_factory=list)
    pushes: list[Row] = field(default_factory=list)
    stations: list[Row] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def previous(self) -> Row | None:
        """The release before the published one that was not withdrawn."""
        return next((row for row in self.releases[1:] if row["withdrawn_at"] is None), None)

    @property
    def as_of(self) -> datetime:
        assert self.release is not None  # noqa: S101 - callers ask for a release first
        return cast(datetime, self.release["as_of"])


def gather(ctx: Context) -> Facts:
    """The facts of the published release; ``release`` is None where nothing is published yet."""
    facts = Facts(ctx.project.company)
    with ctx.warehouse.connect() as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        read = _Reader(connection, facts)
        facts.releases = read.rows("releases", queries.RELEASES)
        facts.release = next((row for row in facts.releases if row["is_published"]), None)
        if facts.release:
            _fill(facts, read)
    return facts


def _fill(facts: Facts, read: _Reader) -> None:
    release, previous = cast(Row, facts.release), facts.previous
    zone = facts.company.time_zone
    period = {
        "release_id": release["release_id"],
        "as_of": release["as_of"],
        "run_id": release["run_id"],
        "published_at": release["published_at"],
        "started_at": release["started_at"],
        "previous": previous["as_of"] if previous else None,
        "previous_started_at": previous["started_at"]
        if previous
        else datetime.min.replace(tzinfo=release["as_of"].tzinfo),
        "zone": zone,
        "release_ids": [row["release_id"] for row in facts.releases[:3]],
    }
    consent = " or ".join(f"consent_{channel}" for channel in _CHANNELS)
    facts.totals = next(iter(read.rows("customers", queries.TOTALS.replace("{consent}", consent))), {})
    facts.sales = read.rows("sales", queries.SALES)
    facts.weeks = read.rows("sales by week", queries.WEEKS, period)
    stages = read.rows("stages", queries.STAGES, period)
    moves = read.rows("moves", queries.MOVES, period) if previous else []
    coming = read.rows("coming moves", queries.COMING, period)
    facts.lifecycles = [
        Lifecycle(
            name,
            [row for row in stages if row["lifecycle"] == name],
            [row for row in moves if row["lifecycle"] == name],
            [row for row in coming if row["lifecycle"] == name],
        )
        for name in dict.fromkeys(row["lifecycle"] for row in stages)
    ]
    facts.segments = read.rows("segments", queries.SEGMENTS, period)
    facts.campaigns = read.rows("campaigns", queries.CAMPAIGNS)
    facts.loads = read.rows("loads", queries.NEW_LOADS, period)
    period["new_loads"] = [row["load_id"] for row in facts.loads]
    facts.gates = read.rows("gates", queries.GATES, period)
    facts.pushes = read.rows("pushes", queries.PUSHES, period)
    facts.stations = read.rows("stations", queries.STATIONS, period)


@dataclass(frozen=True)
class _Reader:
    """Reads the parts; a part whose mart or column is not there is noted, any other error is raised."""

    connection: psycopg.Connection[Any]
    facts: Facts

    def rows(self, part: str, query: str, parameters: Row | None = None) -> list[Row]:
        try:
            with self.connection.transaction(), self.connection.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(query, parameters).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            self.facts.missing[part] = (error.diag.message_primary or "not there").strip()
            return []
