"""Runs: (as-of, accepted loads, code fingerprint), what an answer depends on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases import views
from lifehouse.releases.fingerprint import fingerprint
from lifehouse.releases.late import judge

_BUILDING = 7_405_020  # advisory lock, per session: one run builds at a time
_DECISIONS = 7_405_021  # advisory lock, per transaction: see control.number_decision()
_PATIENCE = 5.0  # seconds: the server needs a moment to notice that a killed holder is gone


@dataclass(frozen=True)
class Run:
    """A row of ``control.runs``. ``slot`` is what it builds; of an ``unchanged`` run, what is served."""

    run_id: int
    as_of: datetime
    status: str
    slot: str
    fingerprint: str
    change_seq: int
    loads: list[int]
    full_refresh: bool
    late_sources: list[str]
    gate_passed_at: datetime | None
    held_why: str | None
    message: str | None

    @classmethod
    def read(cls, connection: psycopg.Connection[Any], run_id: int) -> Run:
        """:raises LifehouseError: there is no such run."""
        columns = ", ".join(field.name for field in fields(cls))
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute(f"select {columns} from control.runs where run_id = %s", (run_id,)).fetchone()  # noqa: S608
        if row is None:
            raise LifehouseError(f"there is no run {run_id}")
        return cls(**row)

    @property
    def building_slot(self) -> str:
        """The slot of a run that builds.

        :raises LifehouseError: the run builds nothing.
        """
        if self.status == "unchanged":
            raise LifehouseError(f"run {self.run_id} builds nothing: {self.message}")
        return self.slot


@contextmanager
def building(ctx: Context) -> Iterator[psycopg.Connection[Any]]:
    """The right to build, held by the yielded autocommit connection; not re-entrant.

    :raises LifehouseError: another process has it.
    """
    with ctx.warehouse.connect(autocommit=True) as connection:
        deadline = time.monotonic() + _PATIENCE
        while not _one(connection, "select pg_try_advisory_lock(%s)", _BUILDING):
            if time.monotonic() > deadline:
                raise LifehouseError("another run is building right now; wait for it to end, or stop it")
            time.sleep(0.1)
        yield connection


@contextmanager
def hold(ctx: Context, run_id: int) -> Iterator[tuple[psycopg.Connection[Any], Run]]:
    """The right to build, for the run at hand.

    :raises LifehouseError: another process builds, or the run is over or was overtaken.
    """
    with building(ctx) as connection:
        run = Run.read(connection, run_id)
        current = _one(connection, "select run_id from control.current_run")
        if run.status != "running" or current != run_id:
            why = f"{run.status} ({run.message})" if run.message else run.status
            raise LifehouseError(f"run {run_id} cannot go on: it is {why}")
        yield connection, run


def is_past(ctx: Context, as_of: datetime) -> bool:
    """Whether the published release speaks about a later instant: then the answer belongs into a scratch build."""
    return bool(ctx.warehouse.value("select as_of > %s from control.published", (as_of,)))


def begin(ctx: Context, as_of: datetime, full_refresh: bool = False, *, past: bool = False) -> Run:
    """Register a run about the instant ``as_of`` and make the idle slot ready to be built.

    Earlier runs that never ended are marked abandoned, and a held one once another is built. If the published
    release already answers (same as-of, decisions on loads and fingerprint) the run is ``unchanged`` and builds
    nothing, unless ``full_refresh``.

    :param past: build although the published release speaks about a later instant.
    :raises LifehouseError: ``as_of`` has no zone or is past, a required source was never accepted, another run builds.
    """
    if as_of.tzinfo is None:
        raise LifehouseError(f"the as-of instant {as_of.isoformat()} needs a time zone")
    if not past and is_past(ctx, as_of):
        raise LifehouseError(
            f"the published release speaks about a later instant than {as_of:%Y-%m-%d %H:%M} UTC; `lifehouse backfill "
            "--from ... --to ...` answers for the past beside it, `lifehouse run --past` would serve the past again"
        )
    code = fingerprint(ctx)
    with building(ctx) as connection:
        connection.execute(_ABANDON, {"held": False})
        with connection.transaction():
            late = judge(ctx, connection, as_of)
            facts = {
                "as_of": as_of,
                "fingerprint": code,
                "change_seq": newest_decision(connection),
                "full_refresh": full_refresh,
                "late_sources": [each.source for each in late],
                "late_details": json.dumps([each.content() for each in late]),
            }
            served = None if full_refresh else _one(connection, _ANSWERED, facts)
            if served:
                run_id = _one(connection, _INSERT, facts | {"status": "unchanged", "slot": served})
                connection.execute(_END, {"run_id": run_id, "status": "unchanged", "message": _UNCHANGED})
                return Run.read(connection, run_id)
            connection.execute(_ABANDON, {"held": True})
            slot = _one(connection, _IDLE)
            run_id = _one(connection, _INSERT, facts | {"status": "running", "slot": slot})
            for statement in _START:
                connection.execute(statement, {"run_id": run_id})
        if _one(connection, "select fingerprint is null from control.slots where slot = %s", slot):
            try:
                views.detach(ctx, slot)
            except LifehouseError as error:
                finish(ctx, run_id, "failed", str(error))
                raise
        return Run.read(connection, run_id)


def finish(ctx: Context, run_id: int, status: str, message: str | None = None) -> None:
    """End a run that will not be published: ``failed`` or ``gate_closed``. One that ended, or is held, stays so."""
    ctx.warehouse.execute(_END, {"run_id": run_id, "status": status, "message": message})


def newest_decision(connection: psycopg.Connection[Any]) -> int:
    """The newest decision, on a load or on who is who; those being made are waited for while a transaction is open."""
    connection.execute("select pg_advisory_xact_lock(%s)", (_DECISIONS,))
    return int(_one(connection, _NEWEST))


def _one(connection: psycopg.Connection[Any], query: str, parameters: Any = None) -> Any:
    if parameters is not None and not isinstance(parameters, dict):
        parameters = (parameters,)
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None


_NEWEST = """
    select greatest(
        coalesce((select max(change_seq) from control.loads), 0),
        coalesce((select max(change_seq) from control.identity_decisions), 0)
    )
"""

_UNCHANGED = "the published release has the same as-of, loads and code"

_ABANDON = """
    update control.runs
    set status = 'abandoned', ended_at = clock_timestamp(),
        message = case when held_at is null then 'it never ended' else 'it was held' end || '; a later run began'
    where status = 'running' and (held_at is null or %(held)s)
"""

_IDLE = """
    select slot from control.slots
    where slot not in (select published.slot from control.published)
    order by slot
    limit 1
"""

_ANSWERED = """
    select releases.slot
    from control.published
    inner join control.releases using (release_id)
    where releases.as_of = %(as_of)s
        and releases.fingerprint = %(fingerprint)s and releases.change_seq = %(change_seq)s
"""

_INSERT = """
    insert into control.runs (as_of, status, slot, fingerprint, change_seq, loads, full_refresh, late_sources,
        late_details)
    select %(as_of)s, %(status)s, %(slot)s, %(fingerprint)s, %(change_seq)s,
        array(
            select load_id from control.loads
            where status = 'accepted' and change_seq <= %(change_seq)s
            order by load_id
        ),
        %(full_refresh)s, %(late_sources)s, %(late_details)s::jsonb
    returning run_id
"""

# Tables that other code built are made anew. The slot forgets its fingerprint first: if this run dies, the
# next one, whatever its code, finds tables that nobody vouches for. The same holds for core.
_START = (
    """
    update control.slots
    set state = 'building', release_id = null,
        fingerprint = case when slots.fingerprint = runs.fingerprint then slots.fingerprint end,
        change_seq = case when slots.fingerprint = runs.fingerprint then slots.change_seq else 0 end
    from control.runs
    where runs.run_id = %(run_id)s and slots.slot = runs.slot
    """,
    """
    update control.core_state set fingerprint = null
    where fingerprint not in (select runs.fingerprint from control.runs where runs.run_id = %(run_id)s)
    """,
    """
    insert into control.current_run (run_id, as_of, slot, change_to, core_from, slot_from)
    select runs.run_id, runs.as_of, runs.slot, runs.change_seq,
        case when runs.full_refresh or core.fingerprint is null then 0 else core.change_seq end,
        case when runs.full_refresh then 0 else slots.change_seq end
    from control.runs
    inner join control.slots using (slot)
    cross join control.core_state as core
    where runs.run_id = %(run_id)s
    on conflict (only_row) do update set
        run_id = excluded.run_id, as_of = excluded.as_of, slot = excluded.slot,
        change_to = excluded.change_to, core_from = excluded.core_from, slot_from = excluded.slot_from
    """,
)

_END = """
    update control.runs
    set status = %(status)s, ended_at = clock_timestamp(), message = %(message)s
    where run_id = %(run_id)s and (status = 'running' or ended_at is null) and held_at is null
"""
