"""Deadlines: Airflow's scheduler watches them, the callback says in time what a late run waits for.

The callback runs in the executor, like a task (no triggerer is needed), so also while the run itself is stuck.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

log = logging.getLogger("lifehouse")


class TickDeadline(BaseDeadlineReference):
    """Counts from when a run was due: the tick of the clock, or the moment when somebody triggered it.

    Backfills and runs that an asset wakes promise no time. (Airflow's own ``DAGRUN_LOGICAL_DATE`` has no
    answer for a run that was triggered by hand; ``DAGRUN_QUEUED_AT`` would forgive a scheduler that was down.)
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun  # noqa: PLC0415  the scheduler's own, not a task's
        from sqlalchemy import select  # noqa: PLC0415  likewise

        row = session.execute(
            select(DagRun.run_after, DagRun.run_type).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        ).one_or_none()
        return row[0] if row and str(row[1]) in ("scheduled", "manual") else None


def deadline(length: timedelta | None) -> DeadlineAlert | None:
    """For a DAG; None where nothing is promised."""
    if length is None:
        return None
    return DeadlineAlert(
        reference=TickDeadline(), interval=length, callback=SyncCallback(missed), name="published in time"
    )


def missed(context: Any) -> None:
    """Airflow calls this when a deadline has passed and the run has not succeeded."""
    from lifehouse.alerts import ledger  # noqa: PLC0415  every process imports this module for the class above
    from lifehouse.alerts.declaration import Event  # noqa: PLC0415
    from lifehouse.alerts.lateness import late  # noqa: PLC0415
    from lifehouse.alerts.subject import Subject  # noqa: PLC0415
    from lifehouse.orchestration.airflow import links, notify  # noqa: PLC0415

    told = context["dag_run"]
    run = SimpleNamespace(dag_id=told["dag_id"], run_id=told["dag_run_id"])
    subject = Subject.of_dag(run.dag_id)
    if subject is None or told["state"] == "success":
        return
    with notify.harmless("telling that a run is late"):
        ctx = notify.acting({"dag_run": run})
        ended = (Event.GATE_CLOSED, Event.FAILED)
        if not ledger.is_noted(ctx.warehouse, str(subject), run.run_id, ended):  # that it failed says more
            alert = late(
                ctx,
                subject,
                due=_instant(context["deadline"]["deadline_time"]) or datetime.now().astimezone(),
                began=_instant(told.get("start_date")),
                state=str(told["state"]),
                links=links.of_run(run),
            )
            ledger.note(ctx.warehouse, alert, run.run_id, ctx.project.company.alerts)
            log.warning("%s", alert.title)
        notify.send_waiting(ctx)


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value if isinstance(value, datetime) else None
