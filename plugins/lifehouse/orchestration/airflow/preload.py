"""Imports what the stations need before the scheduler forks its workers: tasks find dbt, dlt and Great Expectations in memory.

Each of these takes one to three seconds to import; a night has some ten tasks. Only a scheduler that forks its
own workers does this (LocalExecutor); Celery workers import what they meet.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from typing import Any

from airflow.listeners import hookimpl

log = logging.getLogger(__name__)

#: What the stations import from elsewhere. Not Lifehouse itself (0.1 s): a change to it counts from the next task on.
MODULES = (
    "airflow.providers.standard.operators.python",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "dlt.sources.rest_api",
    "dlt.sources.sql_database",
    "great_expectations",
    "pandas",
    "scipy.sparse.csgraph",
)


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this when a part of it starts, and in every task."""
    if type(component).__name__ == "Job" and "scheduler" in sys.argv and _forks_workers():
        warm()


def warm() -> None:
    """Import all of ``MODULES``; one that cannot be imported will say so in the task that needs it."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it tells of each of its methods
    for module in MODULES:
        started = time.perf_counter()
        try:
            importlib.import_module(module)
        except Exception:
            log.exception("could not import %s ahead", module)
        log.info("imported %s in %.1f s", module, time.perf_counter() - started)


def _forks_workers() -> bool:
    from airflow.configuration import conf  # noqa: PLC0415

    return bool(conf.get("core", "executor") == "LocalExecutor")
