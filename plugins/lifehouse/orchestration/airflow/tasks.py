"""The tasks: each is one call of a station. XComs carry ids, nothing else."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.orchestration.airflow import failures, notify, policy
from lifehouse.orchestration.airflow.gates import gate

log = logging.getLogger("lifehouse")


@task.short_circuit
def ingest(source: str) -> int | None:
    """Extract what is new and record it as a load; the gate is skipped when nothing is new."""
    with failures.told(), notify.watched("ingest"):
        load_id = stations.ingest(Context.current(), source)
    if load_id is None:
        notify.well()
    return load_id


@gate
def raw_gate(load_id: int) -> None:
    """Judge the load; a closed gate fails this task and rewinds the source."""
    with failures.told(), notify.watched("raw_gate", load_id=load_id):
        stations.raw_gate(Context.current(), load_id)
    notify.well(load_id=load_id)


@task.short_circuit
def begin() -> int | None:
    """Open a run; the rest is skipped when the published release already answers it.

    What belongs to the past, a run of Airflow's backfill or an instant before the published release's, is answered
    here in the schema ``scratch_airflow``, and the rest is skipped too: nothing is published, no sync is woken.
    """
    context = get_current_context()
    with failures.told(), notify.watched("begin"):
        as_of = policy.as_of(dict(context["params"]), context["dag_run"])
        if policy.is_backfill(context["dag_run"]) or stations.is_past(Context.current(), as_of):
            log.info("%s UTC lies in the past: it is answered in the schema scratch_airflow", as_of)
            stations.backfill(
                Context.current(), "airflow", [as_of], keep_workplace=True, patience=policy.BACKFILL_PATIENCE
            )
            return None
        run = stations.begin(Context.current(), as_of, full_refresh=bool(context["params"]["full_refresh"]))
    if run.status != "unchanged":
        return int(run.run_id)
    notify.well()
    return None


@task
def core(run: int) -> None:
    """Staging, identity, the timeline."""
    with failures.told(), notify.watched("core", run_id=run):
        stations.core(Context.current(), run)


@task
def release(run: int) -> None:
    """All marts, into the idle slot."""
    with failures.told(), notify.watched("release", run_id=run):
        stations.release(Context.current(), run)


@gate
def release_gate(run: int) -> None:
    """Judge the slot; a closed gate fails this task and the last release stays."""
    with failures.told(), notify.watched("release_gate", run_id=run):
        stations.release_gate(Context.current(), run)


@task(outlets=[policy.RELEASE])
def publish(run: int) -> int:
    """Make the slot what everybody reads, and wake the syncs; with the param ``hold``, leave that to a person."""
    is_held = bool(get_current_context()["params"].get("hold"))
    with failures.told(), notify.watched("publish", run_id=run):
        if is_held:
            stations.hold(Context.current(), run)
        else:
            release_id = int(stations.publish(Context.current(), run))
    notify.well(run_id=run)
    if is_held:
        raise AirflowSkipException(
            f"run {run} is held: `lifehouse diff published candidate`, then `lifehouse publish`"
        )
    return release_id


@task
def prune() -> None:
    """Bring raw to its baseline, where a retention is declared; what fell due is little, and none of it is read."""
    with failures.told():
        stations.prune(Context.current())


def close_run(context: Any) -> None:
    """When a task of the marts has finally failed: the run is over, and says why."""
    run_id = context["ti"].xcom_pull(task_ids="begin")
    if run_id is not None:
        stations.fail(Context.current(), run_id, failures.describe(context["exception"]))


def connection_of(connection_id: str | None) -> Any:
    """The platform's account in an Airflow Connection; None where the sync names none."""
    if connection_id is None:
        return None
    from airflow.sdk import BaseHook  # noqa: PLC0415

    from lifehouse.activation.connection import PlatformConnection  # noqa: PLC0415

    found = BaseHook.get_connection(connection_id)
    return PlatformConnection.of_parts(
        found.conn_type, found.host, found.port, found.schema, found.login, found.password, found.extra_dejson
    )
