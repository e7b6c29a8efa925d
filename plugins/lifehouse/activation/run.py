"""One sync from plan to settlement."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from lifehouse.activation import approvals, folding, guards, inspection, recipients, reconcile
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import Sync, find_sync
from lifehouse.activation.delivery import Delivered, Delivery
from lifehouse.activation.outbox import Outbox
from lifehouse.activation.plan import Plan, propose
from lifehouse.activation.platforms.base import Platform
from lifehouse.activation.platforms.make import capabilities, make_platform
from lifehouse.activation.runs import SyncRun
from lifehouse.activation.sender import Sender, sender
from lifehouse.activation.state import held_rows
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.context import Context
from lifehouse.errors import LifehouseError, PlatformError, SyncRefused


@dataclass(frozen=True)
class SyncResult:
    """What a sync did, in rows; ``calls`` of the platform; ``seconds`` with everything.

    ``withdrawn`` rows were planned, but no longer allowed when their turn came, or not before the morning. ``waiting`` rows
    were refused by an earlier sync and have not changed since.
    """

    sync: str
    sync_run_id: int
    release_id: int
    desired: int
    held_out: int
    without_consent: int
    adds: int
    changes: int
    removes: int
    confirmed: int
    refused: int
    withdrawn: int
    waiting: int
    calls: int
    seconds: float
    remark: str | None = None


def sync(
    ctx: Context, name: str, connection: PlatformConnection | None = None, *, only_failed: bool = False
) -> SyncResult:
    """Bring the platform to the published segment. Finishes first what a killed sync had in flight.

    :param connection: the platform's account; None reads ``AIRFLOW_CONN_<ID>``. :param only_failed: only what was refused.
    :raises SyncRefused: a guard does not hold (nothing was sent), or the platform refused too many rows.
    :raises PlatformError: the platform does not answer; what is in flight is sent again next time.
    :raises ConfigError: the sync's file is wrong.
    """
    with ctx.warehouse.keeping():
        return _sync(ctx, name, connection, only_failed=only_failed)


def _sync(ctx: Context, name: str, connection: PlatformConnection | None, *, only_failed: bool) -> SyncResult:
    started = time.monotonic()
    order = find_sync(ctx.project, name)
    platform = make_platform(order, ctx.home, connection)
    read_back = reconcile.if_due(ctx, order, connection)
    with sender(ctx.warehouse, order.account_name) as holder:
        run = SyncRun.open(ctx.warehouse, order, only_failed=only_failed)
        run.read_back = read_back
        checkpoint(Step.OPENED)
        try:
            plan = _work(ctx, order, platform, holder, run, only_failed=only_failed)
        except SyncRefused as refusal:
            run.close("refused", str(refusal))
            raise
        except Exception as error:
            run.close("failed", str(error) if isinstance(error, LifehouseError) else type(error).__name__)
            raise
        checkpoint(Step.CLOSING)
        run.close("done", run.remark)
    return SyncResult(
        sync=name,
        sync_run_id=run.sync_run_id,
        release_id=plan.release.release_id,
        desired=plan.desired,
        held_out=plan.held_out,
        without_consent=plan.without_consent,
        adds=run.adds,
        changes=run.changes,
        removes=run.removes,
        confirmed=run.confirmed,
        refused=run.refused,
        withdrawn=run.withdrawn,
        waiting=plan.waiting,
        calls=run.calls,
        seconds=time.monotonic() - started,
        remark=run.remark,
    )


def _work(
    ctx: Context, order: Sync, platform: Platform, holder: Sender, run: SyncRun, *, only_failed: bool
) -> Plan:
    """Plan and deliver; once more if something was still in flight, since its records could not be planned before."""
    outbox = Outbox(ctx.warehouse, holder, order, run.sync_run_id)
    while True:
        plan = _plan(order, outbox, run, only_failed=only_failed)
        checkpoint(Step.PLANNED)
        delivered = Delivered()
        if plan.rows or plan.in_flight:
            takes = capabilities(order)
            delivery = Delivery(outbox, platform, order.sending, takes.in_flight, takes.per_second)
            delivered = asyncio.run(delivery.run())
            run.delivered(delivered)
        if isinstance(delivered.fault, PlatformError):
            raise PlatformError(
                f"{delivered.fault}; {outbox.left():,} rows are left in the outbox, the next sync goes on with them"
            ) from delivered.fault
        if delivered.fault:
            raise delivered.fault
        if not delivered.recovered:
            break
    checkpoint(Step.DELIVERED)
    if order.quiet_hours:
        run.quieted(
            plan.quiet + outbox.left() + delivered.quiet, recipients.first_morning(order) or plan.quiet_until
        )
    if run.confirmed or run.is_resuming:
        run.calls += platform.finish(lambda: held_rows(ctx.warehouse, order))
    answered = run.confirmed + run.refused
    if answered and run.refused / answered > order.guards.max_refused:
        told = inspection.refusals(ctx.warehouse, run.sync_run_id, 3)
        reasons = "; ".join(f"{count:,}: {reason}" for count, reason in told)
        raise SyncRefused(
            f"sync {order.sync}: the platform refused {run.refused:,} of {answered:,} rows "
            f"(allowed: {order.guards.max_refused:.0%}): {reasons or 'sent by an earlier run'}; "
            "all reasons are in marts.sync_rows"
        )
    return plan


def _plan(order: Sync, outbox: Outbox, run: SyncRun, *, only_failed: bool) -> Plan:
    """Plan, guard and write, in one snapshot and one transaction. What was found is kept even if it is not written.

    :raises SyncRefused: a guard does not hold.
    """
    connection = outbox.sender.connection
    plan, findings, approval = None, [], None
    try:
        folding.fold(connection, order, outbox.sender.writing)
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            outbox.sender.others.planned(connection)
            plan = propose(connection, order, only_failed=only_failed)
            findings = guards.examine(plan, order, only_failed=only_failed)
            approval = approvals.admit(connection, order, plan, findings, run.sync_run_id)
            outbox.write(plan, only_failed=only_failed)
            checkpoint(Step.PLANNING)
    finally:
        if plan is not None:
            with outbox.sender.writing():
                run.sized(plan, connection)
                guards.keep(connection, plan, order, findings, approval.approved_by if approval else None)
    run.planned(plan)
    return plan
