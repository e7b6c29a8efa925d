"""Addresses that alerts and the UI lead to: a run in Airflow, and the quality pages of exactly that run."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

from lifehouse.alerts.subject import Subject

#: Where the plugin serves the pages; see ``quality_pages``.
PAGES = "/lifehouse/quality"


def of_run(
    dag_run: Any, *, run_id: int | None = None, load_id: int | None = None, is_judged: bool = True
) -> dict[str, str]:
    """Label to URL, for people: the run, and the pages of its gate if that has judged."""
    found = {"Airflow run": f"{_base()}/dags/{quote(dag_run.dag_id)}/runs/{quote(dag_run.run_id, safe='')}"}
    subject = Subject.of_dag(dag_run.dag_id)
    if not is_judged or subject is None:
        return found
    if subject.kind == "source" and load_id is not None:
        found["Quality pages"] = pages_of_load(subject.name, load_id)
    if subject.kind == "marts" and run_id is not None:
        found["Quality pages"] = pages_of_run(run_id)
    return found


def pages_of_run(run_id: int) -> str:
    return f"{_base()}{PAGES}/release/all/run-{run_id}/"


def pages_of_load(source: str, load_id: int) -> str:
    return f"{_base()}{PAGES}/raw/{quote(source)}/load-{load_id}/"


class QualityPages(BaseOperatorLink):
    """The button of a gate's task; it leads to the pages of what exactly this task judged."""

    name: ClassVar[str] = "Quality pages"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Called in the task's process when it has ended: the operator's arguments are the ids."""
        judged = int(operator.op_args[0] if operator.op_args else next(iter(operator.op_kwargs.values())))
        subject = Subject.of_dag(ti_key.dag_id)
        if subject is None or subject.kind == "sync":
            return ""
        return pages_of_load(subject.name, judged) if subject.kind == "source" else pages_of_run(judged)


def _base() -> str:
    return str(conf.get("api", "base_url", fallback="")).rstrip("/")
