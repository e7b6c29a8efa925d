"""Held runs: built and judged like any other, then left for a person to look at and to publish."""

from __future__ import annotations

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.run import hold


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


_CANDIDATE = """
    select runs.run_id
    from control.current_run inner join control.runs using (run_id)
    where runs.status = 'running' and runs.gate_passed_at is not null
"""
