"""What Lifehouse adds to Airflow's own processes: heavy imports once in the scheduler instead of in every task."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from lifehouse.orchestration.airflow import preload


class LifehousePlugin(AirflowPlugin):
    """Listens for the scheduler's start; see ``preload``."""

    name = "lifehouse"
    listeners = [preload]  # noqa: RUF012 - Airflow's interface
