"""Runs of DAGs and tasks, as Airflow's API tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str = "queued"

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True)
class TaskRun:
    """One task of a DAG run, with the instants of its life (UTC)."""

    dag_id: str
    task_id: str
    state: str
    try_number: int
    scheduled_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds(self) -> float:
        """From the task process's start to its end; 0 where it was skipped."""
        return (self.ended_at - self.started_at).total_seconds() if self.started_at and self.ended_at else 0.0
