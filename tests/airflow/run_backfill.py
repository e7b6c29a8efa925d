"""Run with Airflow's environment: makes a backfill as ``airflow backfill create`` does, and runs its DAG runs one by one.

Prints, for each run, its type and the states of its tasks as JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.backfill import BackfillDagRun, ReprocessBehavior, _create_backfill
from airflow.models.dagrun import DagRun
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import select

dag_id, first, last = sys.argv[1], datetime.fromisoformat(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
manager = DagBundlesManager()
manager.sync_bundles_to_db()
bundle = manager.get_bundle("dags-folder")
bundle.initialize()
bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
sync_bag_to_db(bag, bundle.name, bundle.version)
dag = bag.dags[dag_id]
scheduler_dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
made = _create_backfill(
    dag_id=dag_id,
    from_date=first,
    to_date=last,
    max_active_runs=1,
    reverse=False,
    dag_run_conf={},
    triggering_user_name="test",
    reprocess_behavior=ReprocessBehavior.NONE,
)
told = []
with create_session() as session:
    query = select(DagRun.id).join(BackfillDagRun, BackfillDagRun.dag_run_id == DagRun.id)
    numbers = list(session.scalars(query.order_by(DagRun.logical_date)))
for number in numbers:
    while True:
        with create_session() as session:  # a task that runs in this process leaves no session whole
            run = session.get(DagRun, number)
            run.dag = scheduler_dag
            if run.state == DagRunState.QUEUED:
                run.state, run.start_date = DagRunState.RUNNING, run.run_after
            ready, _ = run.update_state(session=session)
            for task in ready:
                task.try_number += 1
                task.state = TaskInstanceState.SCHEDULED
            session.commit()
            states = {task.task_id: str(task.state) for task in run.get_task_instances(session=session)}
            kind, state = str(getattr(run.run_type, "value", run.run_type)), str(run.state)
            session.expunge_all()
        if state != "running":
            break
        for task in ready:
            _run_task(ti=task, task=dag.task_dict[task.task_id])
    told.append({"type": kind, "state": state, "tasks": states})
sys.stdout.write("\nRESULT " + json.dumps(told) + "\n")
