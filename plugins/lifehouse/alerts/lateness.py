"""The alert of a run that is late: what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime

from lifehouse.activation.durations import words
from lifehouse.alerts import findings
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Event
from lifehouse.alerts.subject import Subject
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.late import Late, judge

_ORDER = {
    "marts": ("begin", "core", "release", "release gate", "publish"),
    "source": ("ingest", "raw gate"),
    "sync": ("sync",),
}

# The stations that belong to the run: of the marts, those of the newest run since it began.
_STATIONS = """
    select distinct on (station) station, status, started_at, message
    from control.stations
    where started_at >= %(began)s and station = any(%(stations)s) and subject is not distinct from %(subject)s
    order by station, station_run_id desc
"""


def late(
    ctx: Context,
    subject: Subject,
    *,
    due: datetime,
    began: datetime | None,
    state: str,
    links: dict[str, str],
) -> Alert:
    """``due`` is the instant that has passed, ``began`` when the run's first task could start, ``state`` Airflow's word."""
    what = "no release is published" if subject.kind == "marts" else "no delivery is accepted"
    return Alert(
        Event.LATE,
        str(subject),
        f"late: {subject}, due {due:%H:%M} UTC",
        ctx.project.company.company,
        facts=[f"{what}; it was due by {due:%Y-%m-%d %H:%M} UTC"],
        reasons=[*_waits_for(ctx, subject, began, state), *_missing_sources(ctx, subject)],
        what_to_do=["look at the run; nothing is served or pushed but what was published before"],
        owner=subject.owner(ctx),
        served=findings.served(ctx.warehouse),
        links=links,
    )


def _waits_for(ctx: Context, subject: Subject, began: datetime | None, state: str) -> list[str]:
    """Which stations run, failed, have not begun."""
    if began is None:
        return [f"the run has not begun (it is {state}): an earlier run of it may still be under way"]
    order = _ORDER[subject.kind]
    rows = ctx.warehouse.rows(
        _STATIONS, {"began": began, "stations": list(order), "subject": subject.name or None}
    )
    found = {row["station"]: row for row in rows}
    sentences, now = [], datetime.now(UTC)
    for station in order:
        row = found.get(station)
        if row and row["status"] == "running":
            since = f"{row['started_at']:%H:%M} UTC ({words(now - row['started_at'])})"
            sentences.append(f"{station} is running since {since}, or was killed")
        elif row and row["status"] == "failed":
            again = "" if state == "failed" else "; it is tried again"
            sentences.append(f"{station} failed: {row['message'] or 'no message'}{again}")
    waiting = [station for station in order if station not in found]
    if waiting:
        sentences.append(f"not begun: {', '.join(waiting)}")
    return sentences or ["every station has ended; the run itself has not"]


def _missing_sources(ctx: Context, subject: Subject) -> list[str]:
    if subject.kind != "marts":
        return []
    try:
        with ctx.warehouse.connect() as connection:
            missing: list[Late] = judge(ctx, connection)
    except LifehouseError as error:
        return [str(error)]
    return [source.sentence for source in missing]
