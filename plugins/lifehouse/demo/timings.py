"""Where the demo's time went: each station, and how much of a night is Airflow's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from lifehouse.context import Context
from lifehouse.orchestration.runs import TaskRun

Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class NightTimes:
    """Seconds of one night: each station's own, the whole, and the part in which no station was at work."""

    as_of: datetime
    stations: dict[str, float]
    total: float
    airflow: float
    tasks: int

    @classmethod
    def of(
        cls, ctx: Context, as_of: datetime, tasks: Sequence[TaskRun], started: datetime, ended: datetime
    ) -> NightTimes:
        """Read the stations' own clocks (control.stations) between two instants, and set them against the whole."""
        rows = ctx.warehouse.rows(
            """
            select station || coalesce(' ' || subject, '') as name, started_at, ended_at
            from control.stations
            where started_at between %s and %s and ended_at is not null
            order by station_run_id
            """,
            (started, ended),
        )
        stations: dict[str, float] = {}
        for row in rows:
            seconds = (row["ended_at"] - row["started_at"]).total_seconds()
            stations[row["name"]] = stations.get(row["name"], 0.0) + seconds
        total = (ended - started).total_seconds()
        busy = covered((row["started_at"], row["ended_at"]) for row in rows)
        return cls(as_of, stations, total, total - busy, sum(task.started_at is not None for task in tasks))


def covered(intervals: Iterable[Interval]) -> float:
    """Seconds covered by at least one interval: stations that ran side by side count once."""
    seconds, until = 0.0, None
    for start, end in sorted(intervals):
        begin = start if until is None else max(start, until)
        if end > begin:
            seconds += (end - begin).total_seconds()
            until = end
    return seconds


def print_times(console: Console, nights: Sequence[NightTimes], total: float) -> None:
    """A table: a row for each station, a column for each night."""
    table = Table(title="Where the time went (seconds)", title_justify="left")
    table.add_column("station")
    for night in nights:
        table.add_column(f"{night.as_of:%d %b %Y}", justify="right")
    names = dict.fromkeys(name for night in nights for name in night.stations)
    for name in names:
        cells = (f"{night.stations[name]:.1f}" if name in night.stations else "" for night in nights)
        table.add_row(name, *cells, end_section=name == list(names)[-1])
    table.add_row("Airflow's own", *(f"{night.airflow:.1f}" for night in nights))
    table.add_row(
        "of it a task", *(f"{night.airflow / max(night.tasks, 1):.2f}" for night in nights), style="dim"
    )
    table.add_row("the whole night", *(f"{night.total:.1f}" for night in nights), style="bold")
    console.print()
    console.print(table)
    nightly = sum(night.total for night in nights)
    console.print(f"All nights {nightly:.0f} s; with opening, summary and report {total:.0f} s.")
