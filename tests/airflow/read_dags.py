"""Run with Airflow's environment: reads the DAG folder as Airflow does and prints what it found as JSON."""

from __future__ import annotations

import json
import sys

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag

HEAVY = ("dbt", "dlt", "great_expectations", "pandas", "scipy")

bag = DagBag(conf.get("core", "dags_folder"))
found = {
    dag_id: {
        "tags": sorted(dag.tags),
        "doc_md": dag.doc_md,
        "description": dag.description,
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
        "timetable": type(dag.timetable).__name__,
        "timezone": str(getattr(dag.timetable, "timezone", "")),
        "params": dict(dag.params),
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "retries": task.retries,
                "pool": task.pool,
                "backoff": bool(task.retry_exponential_backoff),
                "upstream": sorted(task.upstream_task_ids),
                "outlets": [outlet.uri for outlet in task.outlets],
            }
            for task in dag.tasks
        },
    }
    for dag_id, dag in bag.dags.items()
}
heavy = sorted({module.partition(".")[0] for module in sys.modules} & set(HEAVY))
json.dump({"dags": found, "errors": bag.import_errors, "heavy": heavy}, sys.stdout)
