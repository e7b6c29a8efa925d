"""Run with Airflow's environment: ``dag.test()`` of a DAG for each line that comes, a pair of its name and its ``conf``.

Prints the states of its tasks and their XComs as JSON. One process for all of a test's runs: to import Airflow, dlt, dbt
and Great Expectations takes longer than a run.
"""

from __future__ import annotations

import json
import sys

from airflow.configuration import conf
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from lifehouse.orchestration.airflow.pools import pools

DagBundlesManager().sync_bundles_to_db()
for pool in pools():
    Pool.create_or_update_pool(pool.name, pool.slots, pool.description, include_deferred=False)
for line in sys.stdin:
    dag_id, settings = json.loads(line)
    dag = DagBag(conf.get("core", "dags_folder"), bundle_name="dags-folder").dags[dag_id]
    run = dag.test(run_conf=settings, use_executor=False)
    with create_session() as session:
        stored = session.execute(
            select(XComModel.task_id, XComModel.key, XComModel.value).where(XComModel.run_id == run.run_id)
        )
        xcoms = [[str(part) for part in row] for row in stored]
    tasks = {task.task_id: str(task.state) for task in run.get_task_instances()}
    told = json.dumps({"state": str(run.state), "tasks": tasks, "xcoms": xcoms})
    sys.stdout.write(f"\nRESULT {told}\n")
    sys.stdout.flush()
