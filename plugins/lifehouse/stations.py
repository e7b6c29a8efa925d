"""The stations of a night, one function each: what a DAG task, the CLI and the tests call.

Every call is a row in control.stations: seconds, rows, peak memory, and the message if it failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg

from lifehouse.context import Context
from lifehouse.errors import GateClosed, LifehouseError, WarehouseError
from lifehouse.memory import PeakMemory
from lifehouse.warehouse.rights import ACTIVATE, INGEST, TRANSFORM

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


@dataclass
class Record:
    """What a station has to say about itself; filled in while it runs."""

    run_id: int | None = None
    load_id: int | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


Station = Callable[Concatenate[Context, Given], Returned]


def acts_as(role: str) -> Callable[[Station[Given, Returned]], Station[Given, Returned]]:
    """A station speaks to the warehouse with the rights of ``role``, and no others (``lifehouse.warehouse.rights``)."""

    def decorate(station: Station[Given, Returned]) -> Station[Given, Returned]:
        @wraps(station)
        def acting(ctx: Context, /, *args: Given.args, **kwargs: Given.kwargs) -> Returned:
            actor = ctx.acting_as(role)
            try:
                with actor.warehouse.keeping():
                    return station(actor, *args, **kwargs)
            except psycopg.errors.InsufficientPrivilege as error:
                raise WarehouseError(
                    f"{error.diag.message_primary}, as the role {role}; `lifehouse doctor` says what the role lacks, "
                    "`lifehouse doctor --fix` gives it"
                ) from None

        return acting

    return decorate


@acts_as(INGEST)
def ingest(ctx: Context, source: str) -> int | None:
    """Extract what is new at the source and record it as an open load; None when nothing is new."""
    from lifehouse.ingest.run import ingest as run  # noqa: PLC0415  dlt takes seconds to import

    with _recorded(ctx, "ingest", source) as record:
        result = run(ctx, source)
        record.load_id = result.load_id
        record.rows_in = sum(table.received for table in result.tables.values())
        record.rows_out = sum(table.loaded for table in result.tables.values())
        return result.load_id


@acts_as(INGEST)
def raw_gate(ctx: Context, load_id: int) -> None:
    """Judge a load: accepted, or rejected with :class:`GateClosed`."""
    from lifehouse.ingest import gate  # noqa: PLC0415  Great Expectations takes seconds to import

    source = ctx.warehouse.value("select source from control.loads where load_id = %s", (load_id,))
    with _recorded(ctx, "raw gate", source, load_id=load_id) as record:
        record.rows_in = ctx.warehouse.value(
            "select sum(received)::bigint from control.load_tables where load_id = %s", (load_id,)
        )
        try:
            gate.judge(ctx, load_id)
        finally:
            record.rows_out = ctx.warehouse.value(_FAILED + "load_id = %s", (load_id,))


@acts_as(TRANSFORM)
def begin(ctx: Context, as_of: datetime, *, full_refresh: bool = False, past: bool = False) -> Any:
    """Open a run for an instant; its status is ``unchanged`` when the published release already answers it.

    :param past: although the published release speaks about a later instant.
    """
    from lifehouse.releases.run import begin as open_run  # noqa: PLC0415

    with _recorded(ctx, "begin", None) as record:
        run = open_run(ctx, as_of, full_refresh=full_refresh, past=past)
        record.run_id = run.run_id
        return run


@acts_as(TRANSFORM)
def is_past(ctx: Context, as_of: datetime) -> bool:
    """Whether the published release speaks about a later instant."""
    from lifehouse.releases.run import is_past as asked  # noqa: PLC0415

    return asked(ctx, as_of)


@acts_as(TRANSFORM)
def core(ctx: Context, run_id: int) -> None:
    """Staging, identity and the timeline, for what changed."""
    from lifehouse.build.stations import build_core  # noqa: PLC0415
    from lifehouse.releases.run import hold  # noqa: PLC0415

    with _recorded(ctx, "core", None, run_id=run_id) as record, hold(ctx, run_id) as (_, run):
        record.rows_in = ctx.warehouse.value(_TAKEN_IN)
        record.details = build_core(ctx, run)
        record.rows_out = record.details["changed"]


@acts_as(TRANSFORM)
def release(ctx: Context, run_id: int) -> None:
    """All marts, into the idle slot."""
    from lifehouse.build.stations import build_release  # noqa: PLC0415
    from lifehouse.releases.run import hold  # noqa: PLC0415

    with _recorded(ctx, "release", None, run_id=run_id) as record, hold(ctx, run_id) as (_, run):
        record.details = build_release(ctx, run)
        record.rows_in, record.rows_out = record.details["changed"], record.details["rows"]


@acts_as(TRANSFORM)
def release_gate(ctx: Context, run_id: int) -> None:
    """Audit the slot; a failed expectation stops the run with :class:`GateClosed`.

    Where nothing but the lateness of required sources is against it, the run is left as the candidate
    (:class:`ReleaseHeld`).
    """
    from lifehouse.releases import gate  # noqa: PLC0415

    with _recorded(ctx, "release gate", None, run_id=run_id) as record:
        try:
            verdict = gate.judge(ctx, run_id)
            record.rows_in, record.rows_out = verdict.rows, len(verdict.warnings)
        except GateClosed as closed:
            record.rows_in, record.rows_out = (
                closed.rows,
                ctx.warehouse.value(_FAILED + "run_id = %s", (run_id,)),
            )
            raise


@acts_as(TRANSFORM)
def publish(ctx: Context, run_id: int, *, by: str | None = None, reason: str | None = None) -> int:
    """Make the slot what everybody reads; returns the release's number.

    :param by: the person who publishes a held run. :param reason: needed where it waits for a required source.
    """
    from lifehouse.releases.publish import publish as publish_run  # noqa: PLC0415

    with _recorded(ctx, "publish", None, run_id=run_id) as record:
        release_id = publish_run(ctx, run_id, by=by, reason=reason)
        moved = ctx.warehouse.rows(_STAYS, {"release": release_id})[0]
        record.rows_in, record.rows_out = moved["members"], moved["moved"]
        return release_id


@acts_as(INGEST)
def prune(ctx: Context, source: str | None = None) -> list[Any]:
    """Replace what is older than the declared retention by a baseline; what went, by table."""
    from lifehouse.ingest.retention import prune as prune_raw  # noqa: PLC0415

    with _recorded(ctx, "prune", source) as record:
        done = prune_raw(ctx, source)
        record.rows_out = sum(table.records + table.quarantined for table in done)
        record.details = {table.table: table.records for table in done}
        return done


@acts_as(TRANSFORM)
def hold(ctx: Context, run_id: int) -> None:
    """Leave a run that passed its gate for a person to publish."""
    from lifehouse.releases.held import hold_back  # noqa: PLC0415

    with _recorded(ctx, "hold", None, run_id=run_id):
        hold_back(ctx, run_id)


@acts_as(ACTIVATE)
def sync(ctx: Context, name: str, connection: Any = None) -> Any:
    """Bring a platform to the published segment."""
    from lifehouse.activation.run import sync as run_sync  # noqa: PLC0415

    with _recorded(ctx, "sync", name) as record:
        result = run_sync(ctx, name, connection)
        record.rows_in = result.adds + result.changes + result.removes
        record.rows_out = result.confirmed
        return result


@acts_as(ACTIVATE)
def ask(ctx: Context, name: str) -> Any:
    """Put on record what a person would have to approve for the sync to pass its guards now."""
    from lifehouse.activation import approvals  # noqa: PLC0415
    from lifehouse.activation.declaration import find_sync  # noqa: PLC0415
    from lifehouse.activation.plan import plan  # noqa: PLC0415

    order = find_sync(ctx.project, name)
    return approvals.ask(ctx, order, plan(ctx, order))


@acts_as(ACTIVATE)
def approve(ctx: Context, approval_id: int, *, by: str, reason: str) -> None:
    """A person said yes to what was asked, for one run."""
    from lifehouse.activation import approvals  # noqa: PLC0415

    approvals.approve(ctx, approval_id, by=by, reason=reason)


@acts_as(TRANSFORM)
def backfill(ctx: Context, /, name: str, as_ofs: Sequence[datetime], **options: Any) -> Any:
    """Answer for past instants in a scratch schema; nothing that is served is touched."""
    from lifehouse.scratch.backfill import backfill as fill  # noqa: PLC0415

    with _recorded(ctx, "backfill", name) as record:
        result = fill(ctx, name, as_ofs, **options)
        record.details = {"made": len(result.made), "kept": len(result.kept)}
        return result


@acts_as(TRANSFORM)
def as_known(ctx: Context, /, run_id: int, name: str | None = None, **options: Any) -> Any:
    """Rebuild what was believed at a run in a scratch schema."""
    from lifehouse.scratch.as_known import as_known as rebuild  # noqa: PLC0415

    with _recorded(ctx, "as known", name or f"run_{run_id}"):
        return rebuild(ctx, run_id, name, **options)


@acts_as(TRANSFORM)
def fail(ctx: Context, run_id: int, message: str) -> None:
    """Close a run that did not reach publication, unless it is held; the release before it stays."""
    from lifehouse.releases.run import finish  # noqa: PLC0415

    finish(ctx, run_id, "failed", message)


_FAILED = "select count(*) from control.quality_results where not success and "

# of the loads whose decision the run is the first to take in
_TAKEN_IN = """
    select coalesce(sum(tables.loaded), 0)::bigint
    from control.current_run as run
    inner join control.loads as loads on loads.change_seq > run.core_from and loads.change_seq <= run.change_to
    inner join control.load_tables as tables using (load_id)
"""

_STAYS = """
    select count(*) filter (where left_release is null) as members,
        count(*) filter (where %(release)s in (entered_release, left_release)) as moved
    from history.segment_history
"""


@contextmanager
def _recorded(
    ctx: Context, station: str, subject: str | None, *, run_id: int | None = None, load_id: int | None = None
) -> Iterator[Record]:
    record, memory = Record(run_id=run_id, load_id=load_id), PeakMemory()
    station_run_id = ctx.warehouse.value(
        """
        insert into control.stations (run_id, load_id, station, subject) values (%s, %s, %s, %s)
        returning station_run_id
        """,
        (run_id, load_id, station, subject),
    )
    message = None
    try:
        yield record
    except LifehouseError as error:
        message = str(error)
        raise
    except BaseException as error:
        message = type(error).__name__  # an unforeseen error's text may hold values
        raise
    finally:
        ctx.warehouse.execute(
            """
            update control.stations
            set run_id = %s, load_id = %s, status = %s, rows_in = %s, rows_out = %s, peak_memory = %s,
                details = %s, message = %s, ended_at = clock_timestamp()
            where station_run_id = %s
            """,
            (
                *(
                    record.run_id,
                    record.load_id,
                    "failed" if message else "done",
                    record.rows_in,
                    record.rows_out,
                ),
                *(memory.bytes(), json.dumps(record.details)),
                *(message, station_run_id),
            ),
        )
