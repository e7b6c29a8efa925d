"""What Lifehouse adds to Airflow: heavy imports once in the scheduler, the quality pages, and how deadlines are counted."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from lifehouse.orchestration.airflow import preload
from lifehouse.orchestration.airflow.deadlines import TickDeadline


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The quality pages; their application is imported when the first is asked for: every process loads this plugin."""
    from lifehouse.orchestration.airflow.quality_pages import app  # noqa: PLC0415

    await app(scope, receive, send)


class LifehousePlugin(AirflowPlugin):
    """See ``preload``, ``quality_pages`` and ``deadlines``."""

    name = "lifehouse"
    listeners = [preload]  # noqa: RUF012 - Airflow's interface
    fastapi_apps = [  # noqa: RUF012 - Airflow's interface
        {"app": pages, "url_prefix": "/lifehouse", "name": "Lifehouse's quality pages"}
    ]
    deadline_references = [TickDeadline]  # noqa: RUF012 - Airflow's interface
