"""Held runs: built and judged like any other, then left for a person to look at and to publish.

A person asks for it beforehand (``run --hold``), or the gate does it because a required source is late.
"""

from __future__ import annotations

from typing import Any

import psycopg

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.run import hold

WHAT_TO_DO = (
    "run the source, then the marts; `lifehouse publish --reason ...` serves what is built without it"
)


def hold_back(ctx: Context, run_id: int) -> None:
    """Leave a run that passed its gate unpublished. It stands until it is published or another run begins to build.

    :raises LifehouseError: the run is over, was overtaken or did not pass its gate.
    """
    with hold(ctx, run_id) as (connection, run):
        if run.gate_passed_at is None:
            raise LifehouseError(f"run {run_id} cannot be held: it has not passed the release gate")
        connection.execute(
            "update control.runs set held_at = coalesce(held_at, clock_timestamp()) where run_id = %s",
            (run_id,),
        )


def waited_for(connection: psycopg.Connection[Any], run_id: int) -> list[dict[str, Any]]:
    """The required sources that hold the run back (``releases.late``): source, why, since, sentence."""
    row = connection.execute("select late_details from control.runs where run_id = %s", (run_id,)).fetchone()
    return [late for late in (row[0] if row else []) if late.get("holds")]


def wait(connection: psycopg.Connection[Any], run_id: int, late: list[dict[str, Any]]) -> list[str]:
    """Leave a run as the candidate that has nothing against it but these late sources; a sentence for each."""
    sentences = [str(each["sentence"]) for each in late]
    connection.execute(_WAIT, {"run_id": run_id, "why": "; ".join(sentences)})
    return [f"{sentence}; {WHAT_TO_DO}" for sentence in sentences]


def waiting(ctx: Context) -> dict[str, Any] | None:
    """The run that is held back for a required source: run_id, as_of, held_at, held_why; None if there is none."""
    rows = ctx.warehouse.rows(_WAITING)
    return rows[0] if rows else None


def candidate(ctx: Context) -> int:
    """The run that is built and judged, but not published.

    :raises LifehouseError: there is none.
    """
    run_id = ctx.warehouse.value(_CANDIDATE)
    if run_id is None:
        raise LifehouseError(
            "there is no candidate: `lifehouse run --hold` builds and judges one without publishing it"
        )
    return int(run_id)


_WAIT = """
    update control.runs
    set gate_passed_at = coalesce(gate_passed_at, clock_timestamp()),
        held_at = coalesce(held_at, clock_timestamp()), held_why = %(why)s
    where run_id = %(run_id)s
"""

_CANDIDATE = """
    select runs.run_id
    from control.current_run inner join control.runs using (run_id)
    where runs.status = 'running' and runs.gate_passed_at is not null
"""

_WAITING = """
    select runs.run_id, runs.as_of, runs.held_at, runs.held_why
    from control.current_run inner join control.runs using (run_id)
    where runs.status = 'running' and runs.held_why is not null
"""
