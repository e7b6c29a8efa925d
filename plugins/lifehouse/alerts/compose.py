"""Writes alerts: what became of a run, in sentences for whoever is on call."""

from __future__ import annotations

from lifehouse.alerts import findings, ledger
from lifehouse.alerts.alert import Alert
from lifehouse.alerts.declaration import Event
from lifehouse.alerts.subject import Subject
from lifehouse.context import Context
from lifehouse.errors import GateClosed, GuardTripped, ReleaseHeld, SyncRefused

_WHAT_TO_DO = {
    "ingest": "see that the source answers and lets us in; nothing is lost, the next run takes up where the last load ended",
    "raw_gate": "mend the delivery at the source and trigger its DAG, or accept it: `lifehouse loads`",
    "begin": "look at `lifehouse status`: which source is missing, or what else builds",
    "core": "mend the model that the message names, then trigger the DAG marts",
    "release": "mend the model that the message names, then trigger the DAG marts",
    "release_gate": "find the cause from the sentences, mend it, then trigger the DAG marts",
    "publish": "trigger the DAG marts",
    "sync": "see what it would do: `lifehouse plan {name}`; what was sent is kept, running again sends only the rest",
}


def trouble(
    ctx: Context,
    subject: Subject,
    station: str,
    error: BaseException | None,
    message: str,
    *,
    run_id: int | None = None,
    load_id: int | None = None,
    links: dict[str, str] | None = None,
) -> Alert:
    """A run that ended badly at ``station``. ``message`` is the error in words that hold no personal value."""
    if isinstance(error, ReleaseHeld):
        return _held(ctx, subject, error, run_id, links)
    is_gate = isinstance(error, GateClosed | SyncRefused)
    found = _found(ctx, subject, error, run_id, load_id)
    reasons = found.reasons
    if subject.kind != "marts" or not reasons:  # a source's gate says it in the source's own words
        reasons = error.failures if isinstance(error, GateClosed) else message.splitlines()
    if isinstance(error, GuardTripped):
        found.what_to_do.append("if it is meant, let it run once: the required action in Airflow")
    advice = [*found.what_to_do, _WHAT_TO_DO.get(station, "look at the run's log").format(name=subject.name)]
    what = (
        f"{station.replace('_', ' ')} of {subject}"
        if subject.name
        else f"{station.replace('_', ' ')} of the marts"
    )
    title = f"the gate closed: {what}" if is_gate else f"failed: {what}"
    return Alert(
        Event.GATE_CLOSED if is_gate else Event.FAILED,
        str(subject),
        f"{title}, load {load_id}" if load_id else f"{title}, run {run_id}" if run_id else title,
        ctx.project.company.company,
        reasons=[line for line in reasons if line.strip()],
        what_to_do=advice,
        owner=subject.owner(ctx) or found.owner,
        facts=findings.run_words(ctx.warehouse, run_id) + findings.load_words(ctx.warehouse, load_id),
        served=findings.served(ctx.warehouse),
        links=links or {},
    )


def _held(
    ctx: Context, subject: Subject, error: ReleaseHeld, run_id: int | None, links: dict[str, str] | None
) -> Alert:
    """A release that is built and sound and waits for required sources: their owners are told."""
    late = error.sources
    owners = dict.fromkeys(Subject("source", name).owner(ctx) for name in late)
    return Alert(
        Event.GATE_CLOSED,
        str(subject),
        f"held back: the release of run {run_id} waits for source{'s' * (len(late) > 1)} {', '.join(late)}",
        ctx.project.company.company,
        reasons=error.failures,
        what_to_do=[
            *(f"see why {name} is late and trigger the DAG source_{name}, then marts" for name in late),
            "or serve the release without it: `lifehouse publish --reason ...` (`lifehouse diff published candidate` "
            "says what it changes)",
        ],
        owner=", ".join(filter(None, owners)) or None,
        facts=findings.run_words(ctx.warehouse, run_id),
        served=findings.served(ctx.warehouse),
        links=links or {},
    )


def warnings(
    ctx: Context,
    subject: Subject,
    *,
    run_id: int | None = None,
    load_id: int | None = None,
    links: dict[str, str] | None = None,
) -> Alert | None:
    """What a run that succeeded has to mind; None when there is nothing."""
    gate = "release" if subject.kind == "marts" else "raw"
    found = findings.failed(ctx.warehouse, gate, "warning", run_id=run_id, load_id=load_id)
    late = _late(ctx, run_id)
    reasons = late + found.reasons
    if not reasons:
        return None
    what = (
        f"{subject}, load {load_id}, was accepted" if load_id else f"run {run_id} of the marts was published"
    )
    return Alert(
        Event.WARNINGS,
        str(subject),
        f"{what} with {len(reasons)} warning{'s' if len(reasons) > 1 else ''}",
        ctx.project.company.company,
        reasons=reasons,
        what_to_do=found.what_to_do,
        owner=subject.owner(ctx) or found.owner,
        facts=findings.run_words(ctx.warehouse, run_id) + findings.load_words(ctx.warehouse, load_id),
        served=findings.served(ctx.warehouse),
        links=links or {},
    )


def recovered(ctx: Context, subject: Subject, links: dict[str, str] | None = None) -> Alert | None:
    """That the same thing succeeded after trouble; None when there was none that is not told as over."""
    before = ledger.unhealed(ctx.warehouse, str(subject))
    if before is None:
        return None
    return Alert(
        Event.RECOVERED,
        str(subject),
        f"well again: {subject}",
        ctx.project.company.company,
        facts=[f"before: {before['content']['title']} (told {before['noted_at']:%Y-%m-%d %H:%M} UTC)"],
        owner=subject.owner(ctx),
        served=findings.served(ctx.warehouse),
        links=links or {},
    )


def _found(
    ctx: Context, subject: Subject, error: BaseException | None, run_id: int | None, load_id: int | None
) -> findings.Findings:
    if isinstance(error, GateClosed):
        return findings.failed(ctx.warehouse, error.gate, "critical", run_id=run_id, load_id=load_id)
    return findings.Findings()


def _late(ctx: Context, run_id: int | None) -> list[str]:
    query = "select late_details from control.runs where run_id = %s"
    details = ctx.warehouse.value(query, (run_id,)) if run_id else None
    return [f"late when the release was built: {late['sentence']}" for late in details or []]
