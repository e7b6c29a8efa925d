"""One night, station by station, in this process: what the DAGs do, without Airflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifehouse import stations
from lifehouse.build.project import sources as project_sources
from lifehouse.context import Context
from lifehouse.errors import GateClosed, LifehouseError

Say = Callable[[str], None]


@dataclass
class Night:
    """What became of a night. ``problems`` holds one sentence for each source or sync that failed."""

    as_of: datetime
    status: str = "running"
    release_id: int | None = None
    run_id: int | None = None
    loads: dict[str, int | None] = field(default_factory=dict)
    syncs: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def night(
    ctx: Context,
    as_of: datetime,
    *,
    sources: list[str] | None = None,
    syncs: list[str] | None = None,
    full_refresh: bool = False,
    hold: bool = False,
    past: bool = False,
    say: Say = lambda _: None,
) -> Night:
    """Ingest the sources, build, gate and publish a release, then run the syncs.

    A source or sync that fails does not hold up the others; a required source without any accepted load, a
    closed release gate or a failed model ends the night with the error, and the last release stays.

    :param sources: names; None for all of the project. :param syncs: likewise.
    :param hold: neither publish nor sync: the run waits as the candidate. :param past: see ``stations.begin``.
    """
    outcome = Night(as_of)
    for source in project_sources(ctx.project) if sources is None else sources:
        _take_in(ctx, source, outcome, say)
    run = stations.begin(ctx, as_of, full_refresh=full_refresh, past=past)
    outcome.run_id = run.run_id
    if run.status == "unchanged":
        outcome.status = "unchanged"
        say("nothing has changed since the published release")
    else:
        outcome.release_id = _build(ctx, run.run_id, say, hold)
        outcome.status = "held" if hold else "published"
    if hold:
        return outcome
    _prune(ctx, outcome, say)
    for sync in [path.stem for path in ctx.project.sync_files] if syncs is None else syncs:
        say(f"sync {sync}")
        try:
            outcome.syncs[sync] = stations.sync(ctx, sync)
        except LifehouseError as error:
            outcome.problems.append(_told("sync", sync, error))
            say(outcome.problems[-1])
    return outcome


def _told(what: str, name: str, error: LifehouseError) -> str:
    """The error's sentence, which names its source or sync at least once."""
    said = str(error)
    return said if said.startswith(f"{what} {name}") else f"{what} {name}: {said}"


def _take_in(ctx: Context, source: str, outcome: Night, say: Say) -> None:
    say(f"ingest {source}")
    try:
        load_id = stations.ingest(ctx, source)
        outcome.loads[source] = load_id
        if load_id is not None:
            say(f"raw gate {source}")
            stations.raw_gate(ctx, load_id)
    except LifehouseError as error:
        outcome.problems.append(_told("source", source, error))
        say(outcome.problems[-1])


def _prune(ctx: Context, outcome: Night, say: Say) -> None:
    """Raw's baseline; what hinders it is told, and tried again the next night."""
    try:
        for table in stations.prune(ctx):
            say(f"prune {table.table}: {table.records:,} records")
    except LifehouseError as error:
        outcome.problems.append(f"prune: {error}")
        say(outcome.problems[-1])


def _build(ctx: Context, run_id: int, say: Say, hold: bool) -> int | None:
    try:
        for name in ("core", "release", "release_gate"):
            say(name.replace("_", " "))
            getattr(stations, name)(ctx, run_id)
        if hold:
            stations.hold(ctx, run_id)
            return None
        say("publish")
        return stations.publish(ctx, run_id)
    except GateClosed:
        raise
    except BaseException as error:
        stations.fail(ctx, run_id, str(error) if isinstance(error, LifehouseError) else type(error).__name__)
        raise
