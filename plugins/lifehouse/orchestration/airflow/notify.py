"""Tells people of a run's end: noted by the task before Airflow knows of it, sent by the task's callback afterwards.

Nothing here may fail a run: whatever goes wrong with an alert is logged, kept in ``control.alert_sends`` and shown by
``lifehouse status``. What could not be sent is tried again by every later callback.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from airflow.sdk import get_current_context

from lifehouse.alerts import compose, ledger
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Event
from lifehouse.alerts.subject import Subject
from lifehouse.context import Context
from lifehouse.errors import GateClosed, WarehouseError
from lifehouse.orchestration.airflow import channels, failures, links
from lifehouse.warehouse.rights import ACTIVATE, INGEST, TRANSFORM

log = logging.getLogger("lifehouse")
_ENDED_BADLY = (Event.GATE_CLOSED, Event.FAILED)
_ROLES = {"source": INGEST, "marts": TRANSFORM, "sync": ACTIVATE}


@contextmanager
def watched(station: str, *, run_id: int | None = None, load_id: int | None = None) -> Iterator[None]:
    """Run a station's call; if it ends this run badly, note why, while the error still knows."""
    try:
        yield
    except Exception as error:
        context: Any = get_current_context()
        if failures.is_final(error, context["ti"]):
            with harmless("noting"):
                _note_trouble(acting(context), context, station, error, run_id, load_id)
        raise


def well(*, run_id: int | None = None, load_id: int | None = None) -> None:
    """Note that the run at hand did what it should: its warnings, and that earlier trouble is over."""
    with harmless("noting"):
        context: Any = get_current_context()
        subject, key = _about(context)
        if subject is None:
            return
        ctx = acting(context)
        told = links.of_run(context["dag_run"], run_id=run_id, load_id=load_id)
        made = [compose.recovered(ctx, subject, told)]
        if run_id is not None or load_id is not None:
            made.append(compose.warnings(ctx, subject, run_id=run_id, load_id=load_id, links=told))
        for alert in filter(None, made):
            ledger.note(ctx.warehouse, alert, key, ctx.project.company.alerts)


def ended_badly(context: Any) -> None:
    """Airflow calls this when a task has finally failed, also of one that was killed and could note nothing."""
    with harmless("sending"):
        station = context["ti"].task_id
        try:
            ctx = acting(context)
            _note_trouble(ctx, context, station, context.get("exception"), None, None)
        except (WarehouseError, psycopg.Error):
            _send_unkept(Context.current(), context, station)
            return
        send_waiting(ctx)


def ended(context: Any) -> None:
    """Airflow calls this when a task has succeeded, or skips what is not needed."""
    with harmless("sending"):
        send_waiting(acting(context))


def acting(context: Any) -> Context:
    """The house as the station of this run's DAG sees it: with its rights and no others."""
    subject, _ = _about(context)
    ctx = Context.current()
    return ctx.acting_as(_ROLES[subject.kind]) if subject else ctx


def send_waiting(ctx: Context) -> None:
    """Send everything that waits for a declared channel, each once."""
    declared = {channel.key: channel for channel in ctx.project.company.alerts}
    while declared and (waiting := ledger.claim(ctx.warehouse, list(declared))):
        channel = declared[waiting.channel]
        try:
            channels.send(channel, waiting.alert, f"lifehouse-{waiting.alert_id}")
        except Exception as error:
            why = channels.fault(channel, error)
            log.warning("alert %s could not be sent by %s: %s", waiting.alert_id, channel.key, why)
            ledger.failed(ctx.warehouse, waiting, why)
        else:
            ledger.sent(ctx.warehouse, waiting)
            log.info("alert %s was sent by %s", waiting.alert_id, channel.key)


def _note_trouble(
    ctx: Context,
    context: Any,
    station: str,
    error: BaseException | None,
    run_id: int | None,
    load_id: int | None,
) -> None:
    subject, key = _about(context)
    if subject is None or ledger.is_noted(ctx.warehouse, str(subject), key, _ENDED_BADLY):
        return
    told = links.of_run(
        context["dag_run"], run_id=run_id, load_id=load_id, is_judged=isinstance(error, GateClosed)
    )
    alert = compose.trouble(
        ctx, subject, station, error, _words(error), run_id=run_id, load_id=load_id, links=told
    )
    ledger.note(ctx.warehouse, alert, key, ctx.project.company.alerts)


def _send_unkept(ctx: Context, context: Any, station: str) -> None:
    """The warehouse is what is down: tell so without the ledger. It may be told again by another task."""
    subject, key = _about(context)
    if subject is None:
        return
    alert = Alert(
        Event.FAILED,
        str(subject),
        f"failed: {station.replace('_', ' ')} of {subject}, and the warehouse cannot be reached",
        ctx.project.company.company,
        reasons=_words(context.get("exception")).splitlines(),
        what_to_do=["see that the warehouse runs: `lifehouse doctor`"],
        owner=subject.owner(ctx),
        links=links.of_run(context["dag_run"]),
    )
    for channel in ctx.project.company.alerts:
        if channel.wants(alert.event):
            with harmless(f"sending by {channel.key}"):
                channels.send(channel, alert, f"lifehouse-{key}")


def _about(context: Any) -> tuple[Subject | None, str]:
    run = context["dag_run"]
    return Subject.of_dag(run.dag_id), run.run_id


def _words(error: Any) -> str:
    if error is None:
        return "it ended without a word; it may have been killed"
    if isinstance(error, str):
        return "Airflow ended it: its process was killed, or did not report"
    return failures.describe(error)


@contextmanager
def harmless(what: str) -> Iterator[None]:
    """Whatever goes wrong inside is logged, and nothing more."""
    try:
        yield
    except Exception as error:
        log.error("alerts: %s failed: %s", what, failures.describe(error))
