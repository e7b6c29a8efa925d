"""A small client of Airflow's REST API: trigger a DAG, wait for its end, read how long its tasks took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from lifehouse.errors import LifehouseError
from lifehouse.orchestration.runs import DagRun, TaskRun

_SPEAK_FOR_THEMSELVES = frozenset({"AirflowFailException", "LifehouseError", "SourceError", "WarehouseError"})


class ApiError(LifehouseError):
    """Airflow's API refused a call."""


@dataclass(frozen=True)
class AirflowClient:
    """Speaks to one API server as one user. Never through a proxy."""

    url: str
    user: str
    password: str

    def unhealthy(self) -> list[str]:
        """The parts that do not report health; all of them while the API is not there."""
        try:
            parts = self._http.get("/api/v2/monitor/health", timeout=5).raise_for_status().json()
        except httpx.HTTPError:
            return ["api-server"]
        wanted = ("metadatabase", "scheduler", "dag_processor")
        return [name for name in wanted if (parts.get(name) or {}).get("status") != "healthy"]

    def warm(self) -> bool:
        """Have the API build what it builds at the first call of a task (three seconds); False while it is not there."""
        try:
            return self._http.get("/execution/health").is_success
        except httpx.HTTPError:
            return False

    def dags(self) -> list[dict[str, Any]]:
        """The active DAGs as Airflow describes them."""
        return list(self._call("GET", "/dags", params={"limit": 500})["dags"])

    def await_dags(self, wanted: Iterable[str], since: datetime, patience: float = 60) -> None:
        """Wait until Airflow has read the files of the DAGs anew, ``since`` an instant.

        :raises ApiError: a file cannot be imported (the message has its mistakes), or a DAG does not appear.
        """
        missing, deadline = set(wanted), time.monotonic() + patience
        while missing:
            errors = self.import_errors()
            if errors:
                raise ApiError("\n".join(f"dags/{file}: {message}" for file, message in errors))
            if time.monotonic() > deadline:
                raise ApiError(
                    f"Airflow does not know {', '.join(sorted(missing))} after {patience:.0f} s; see {self.url}"
                )
            read = {dag["dag_id"]: _instant(dag["last_parsed_time"]) for dag in self.dags()}
            missing -= {name for name, at in read.items() if at and at >= since}
            if missing:
                time.sleep(0.2)

    def import_errors(self) -> list[tuple[str, str]]:
        """File and message of each DAG file that could not be imported."""
        found = self._call("GET", "/importErrors", params={"limit": 500})["import_errors"]
        return [(error["filename"], error["stack_trace"].strip()) for error in found]

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Make the pool unless it is there."""
        if (
            self._http.get(f"/api/v2/pools/{name}", headers=self._headers).status_code
            == httpx.codes.NOT_FOUND
        ):
            body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
            self._call("POST", "/pools", json=body)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> DagRun:
        """Start a run of ``dag_id``; ``conf`` overrides its params."""
        made = self._call(
            "POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": dict(conf or {})}
        )
        return DagRun(dag_id, made["dag_run_id"], made["state"])

    def state(self, run: DagRun) -> DagRun:
        """The run as it is now."""
        found = self._call("GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}")
        return DagRun(run.dag_id, run.run_id, found["state"])

    def wait(
        self,
        runs: Iterable[DagRun],
        patience: float = 3600,
        on_change: Callable[[list[DagRun]], None] = lambda _: None,
    ) -> list[DagRun]:
        """Wait until every run has ended.

        :raises ApiError: after ``patience`` seconds.
        """
        current, deadline = list(runs), time.monotonic() + patience
        while not all(run.finished for run in current):
            if time.monotonic() > deadline:
                late = ", ".join(run.dag_id for run in current if not run.finished)
                raise ApiError(f"not finished after {patience:.0f} s: {late}; see {self.url}")
            time.sleep(0.2)
            current = [run if run.finished else self.state(run) for run in current]
            on_change(current)
        return current

    def tasks(self, run: DagRun) -> list[TaskRun]:
        """The tasks of a run, in the order in which they started."""
        found = self._call(
            "GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", params={"limit": 500}
        )
        made = [
            TaskRun(
                dag_id=run.dag_id,
                task_id=task["task_id"],
                state=task["state"] or "none",
                try_number=task["try_number"],
                scheduled_at=_instant(task["scheduled_when"]),
                queued_at=_instant(task["queued_when"]),
                started_at=_instant(task["start_date"]),
                ended_at=_instant(task["end_date"]),
            )
            for task in found["task_instances"]
        ]
        return sorted(made, key=lambda task: (task.started_at is None, str(task.started_at)))

    def await_woken(self, run: DagRun, dag_ids: Iterable[str], patience: float = 30) -> list[DagRun]:
        """Wait until an asset that ``run`` updated has woken these DAGs; returns their runs.

        :raises ApiError: after ``patience`` seconds.
        """
        wanted, deadline = set(dag_ids), time.monotonic() + patience
        while True:
            woken = self.woken_by(run)
            missing = wanted - {made.dag_id for made in woken}
            if not missing:
                return woken
            if time.monotonic() > deadline:
                raise ApiError(
                    f"{run.dag_id} did not wake {', '.join(sorted(missing))} within {patience:.0f} s"
                )
            time.sleep(0.1)

    def woken_by(self, run: DagRun) -> list[DagRun]:
        """The runs that were created because ``run`` updated an asset."""
        parameters = {"source_dag_id": run.dag_id, "source_run_id": run.run_id}
        events = self._call("GET", "/assets/events", params=parameters)["asset_events"]
        return [
            DagRun(made["dag_id"], made["run_id"], made["state"])
            for event in events
            for made in event["created_dagruns"]
        ]

    def reason(self, run: DagRun) -> str:
        """Why a run failed: for each failed task its last error, as its log has it."""
        sentences = []
        for task in self.tasks(run):
            if task.state == "failed":
                sentences.append(f"{run.dag_id}.{task.task_id}: {self._last_error(run, task)}")
        return "\n".join(sentences) or f"{run.dag_id}: {run.state}"

    def _last_error(self, run: DagRun, task: TaskRun) -> str:
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        entries = self._call("GET", path)["content"]
        for entry in reversed(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict) and entry.get("error_detail"):
                detail = entry["error_detail"][0]
                kind, text = detail.get("exc_type"), str(detail.get("exc_value"))
                return text if kind in _SPEAK_FOR_THEMSELVES else f"{kind}: {text}"
        return "no error in its log; see Airflow"

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._http.request(method, f"/api/v2{path}", headers=self._headers, **arguments)
        if response.is_error:
            raise ApiError(f"Airflow refused {method} {path}: {response.status_code} {response.text[:500]}")
        return dict(response.json()) if response.content else {}

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    @cached_property
    def _headers(self) -> dict[str, str]:
        answer = self._http.post("/auth/token", json={"username": self.user, "password": self.password})
        if answer.is_error:
            raise ApiError(f"Airflow refused the user {self.user}: {answer.status_code}")
        return {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept": "application/json"}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
