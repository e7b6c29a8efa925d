"""What happened to a sync and to one customer of it, read from the ledger. Ids and counts, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from lifehouse.activation import folding, recipients
from lifehouse.activation.declaration import Sync
from lifehouse.activation.plan import propose
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.warehouse.connection import Warehouse

_RUNS = """
select
    sync_run_id, started_at, status, sync_runs.release_id, desired, sync_runs.adds, sync_runs.changes, sync_runs.removes,
    confirmed, refused, withdrawn, waiting,
    calls, extract(epoch from coalesce(ended_at, clock_timestamp()) - started_at)::float8 as seconds, message,
    approvals.approved_by, approvals.approved_at, approvals.reason,
    array(select jsonb_object_keys(approvals.guards)) as approved_guards
from activation.sync_runs
left join activation.approvals on approvals.used_by = sync_runs.sync_run_id
where sync_runs.sync = %s
order by sync_run_id desc
limit %s
"""
_RECORD = """
select record_key, field_hash, acknowledged_at, refused_action, refused_reason, refused_at
from activation.records
where account = %(account)s and sync = %(sync)s and customer_id = %(customer)s
"""
_OPEN = """
select exists (
    select from activation.batches
    inner join activation.outbox using (batch_id)
    where batches.account = %(account)s and batches.sync = %(sync)s and batches.status in ('ready', 'sent')
        and outbox.customer_id = %(customer)s and outbox.settled_at is null
)
"""
_SENT = """
select coalesce(settled_at, made_at) as at, action, status, reason
from activation.ledger
where customer_id = %(customer)s and batch_id in (
    select batches.batch_id from activation.batches as batches
    where account = %(account)s and sync = %(sync)s and %(customer)s = any(customer_ids)
)
order by batch_id desc, place desc
limit 10
"""
_MEMBER = """
select from marts.segment_members where segment = %(segment)s and customer_id = %(customer)s
"""
_MERGED = "select customer_id from marts.customer_merges where retired_id = %(customer)s"
_ARM = "select arm, assigned_at from activation.holdouts where experiment = %(experiment)s and customer_id = %(customer)s"


@dataclass(frozen=True)
class Standing:
    """Where one customer stands in a sync: sentences, and what was sent of them (at, action, status, reason), newest first."""

    customer_id: str
    sentences: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)


def runs(ctx: Context, sync: Sync, limit: int) -> list[dict[str, Any]]:
    """The sync's latest runs, newest first."""
    return ctx.warehouse.rows(_RUNS, (sync.sync, limit))


def refusals(warehouse: Warehouse, sync_run_id: int, limit: int) -> list[tuple[int, str]]:
    """The platform's reasons against rows that the run planned, each with how many; the commonest first."""
    found = warehouse.rows(
        """
        select reason, count(*) as rows from activation.ledger
        where sync_run_id = %s and status = 'refused' group by reason order by rows desc, reason limit %s
        """,
        (sync_run_id, limit),
    )
    return [(row["rows"], row["reason"]) for row in found]


def standing(ctx: Context, sync: Sync, customer_id: str) -> Standing:
    """Why the customer is in or out there, and what the next sync does about it. Writes and sends nothing.

    :raises LifehouseError: there is no such customer, or another one now. :raises SyncRefused: nothing is published.
    """
    found = Standing(customer_id)
    with folding.reading(ctx.warehouse, sync) as connection:
        plan = propose(connection, sync)
        values = {
            "account": sync.account_name,
            "sync": sync.sync,
            "customer": customer_id,
            "experiment": sync.experiment,
        }
        with connection.cursor(row_factory=dict_row) as cursor:
            member = cursor.execute(
                "select * from members where customer_id = %(customer)s", values
            ).fetchone()
            records = cursor.execute(_RECORD, values).fetchall()
            arm = cursor.execute(_ARM, values).fetchone() if sync.holdout else None
            due = cursor.execute("select * from actions where customer_id = %(customer)s", values).fetchall()
            found.sent.extend(cursor.execute(_SENT, values).fetchall())
            is_there = cursor.execute(
                "select from marts.customers where customer_id = %(customer)s", values
            ).fetchone()
            merged = cursor.execute(_MERGED, values).fetchone()
            is_member = cursor.execute(_MEMBER, {**values, "segment": sync.segment}).fetchone() is not None
            is_open = (cursor.execute(_OPEN, values).fetchone() or {}).get("exists")
            morning = recipients.morning_of(connection, sync, customer_id)
        connection.rollback()
    if is_there is None and merged:
        raise LifehouseError(
            f"customer {customer_id} was merged into {merged['customer_id']}, whom the sync speaks of now"
        )
    if is_there is None and not records and not found.sent:
        raise LifehouseError(f"there is no customer {customer_id!r}; the mart customers lists them")
    segment = f"{sync.segment} in release {plan.release.release_id}"
    found.sentences.append(f"is a member of {segment}" if is_member else f"is no member of {segment}")
    if member and not is_member:
        found.sentences.append(f"was picked in by hand (`lifehouse sync picks {sync.sync}`)")
    if member:
        found.sentences.append(_verdict(sync, member, arm))
    found.sentences.extend(
        [_held(sync, record) for record in records] or [f"{sync.account_name} holds nothing of them"]
    )
    if is_open:
        found.sentences.append(
            "is on the way there: the platform's answer is missing, the next sync asks again first"
        )
    found.sentences.append(_next(due, morning, is_open=bool(is_open)))
    return found


def _verdict(sync: Sync, member: dict[str, Any], arm: dict[str, Any] | None) -> str:
    told = "no consent is asked" if sync.consent == "none" else ""
    if sync.consent != "none":
        told = f"{sync.consent.purpose} by {sync.consent.channel}"
    since = f" since {_at(arm['assigned_at'])}" if arm else ""
    said = {
        "send": "may be sent" + (f": consented to {told}" if sync.consent != "none" else f": {told}"),
        "without consent": f"is kept back: no consent to {told}",
        "suppressed": "is kept back: suppressed by a list, or unsubscribed there (`lifehouse suppress list`)",
        "left out": f"is kept back: a person left them out by hand (`lifehouse sync picks {sync.sync}`)",
        "capped": f"is kept back: has had as much of the kind {sync.kind} as its cap allows, of all syncs together",
        "held out": f"is held out in the experiment {sync.experiment}{since}, so that the effect can be measured",
        "unreachable": f"cannot be reached: has no usable {sync.key_column}",
        "shared key": f"is kept back: another member has the same {sync.key_column}, and one row stands for both",
    }
    return said[member["verdict"]]


def _held(sync: Sync, record: dict[str, Any]) -> str:
    told = []
    if record["field_hash"] == "unknown":
        told.append(f"{sync.account_name} may hold them: it never answered for certain")
    elif record["field_hash"]:
        told.append(f"{sync.account_name} holds them, confirmed {_at(record['acknowledged_at'])}")
    if record["refused_action"]:
        told.append(
            f"{'it' if told else sync.account_name} refused to {record['refused_action']} them on "
            f"{_at(record['refused_at'])} ({record['refused_reason']}); that waits for a change, or for --only-failed"
        )
    return "; ".join(told) or f"{sync.account_name} holds nothing of them"


def _next(due: list[dict[str, Any]], morning: datetime | None, *, is_open: bool) -> str:
    if quiet := [row["action"] for row in due if row["is_waiting"] is None]:
        until = f", which end for them at {_at(morning)}" if morning else ""
        return f"a sync after the quiet hours would {' and '.join(quiet)} them{until}"
    actions = [row["action"] for row in due if not row["is_waiting"]]
    if actions:
        return f"the next sync would {' and '.join(actions)} them"
    return "the next sync would ask again" if is_open else "the next sync has nothing to do for them"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
