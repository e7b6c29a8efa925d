"""Shows DAG runs while they run: a line for each task that ended, and what is at work just now."""

from __future__ import annotations

import time

from rich.console import Console

from lifehouse.orchestration.client import AirflowClient
from lifehouse.orchestration.runs import DagRun, TaskRun

_MARKS = {"success": "[green]✓[/]", "failed": "[red]✗[/]", "up_for_retry": "[yellow]↻[/]"}


def until_finished(client: AirflowClient, runs: list[DagRun], console: Console) -> list[DagRun]:
    """Wait for all runs; returns them as they ended."""
    told: set[tuple[str, str, int, str]] = set()
    with console.status("Waiting for Airflow") as status:
        while True:
            runs = [run if run.finished else client.state(run) for run in runs]
            tasks = [task for run in runs for task in client.tasks(run)]
            for task in tasks:
                key = (task.dag_id, task.task_id, task.try_number, task.state)
                if task.state in _MARKS and key not in told:
                    told.add(key)
                    console.print(
                        f"  {_MARKS[task.state]} {_name(task):<36}{task.seconds:7.1f} s", highlight=False
                    )
            busy = [_name(task) for task in tasks if task.state == "running"]
            status.update(", ".join(busy) or "Waiting for Airflow")
            if all(run.finished for run in runs):
                return runs
            time.sleep(0.25)


def _name(task: TaskRun) -> str:
    kind, _, subject = task.dag_id.partition("_")
    return (
        f"{subject}: {task.task_id.replace('_', ' ')}"
        if subject and task.task_id != kind
        else _alone(task, subject)
    )


def _alone(task: TaskRun, subject: str) -> str:
    return f"{task.task_id.replace('_', ' ')} {subject}".strip()
