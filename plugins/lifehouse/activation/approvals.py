"""Approvals: a person lets a sync run on although a guard has tripped. Each is good for one run, no further than they saw.

It is bound to the release, the sync's file, the guards that had tripped and how far, and the rows that the plan had. A
run that was killed or failed after it had used an approval hands it on to the run that finishes what it began.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from lifehouse.activation import guards
from lifehouse.activation.declaration import Sync
from lifehouse.activation.guards import Finding
from lifehouse.activation.plan import Plan
from lifehouse.context import Context
from lifehouse.errors import LifehouseError

_NEWEST = """
select
    approvals.*,
    approvals.used_by is null or approvals.used_by = %(run)s or runs.status = 'failed' as is_open
from activation.approvals as approvals
left join activation.sync_runs as runs on approvals.used_by = runs.sync_run_id
where approvals.sync = %(sync)s and approvals.account = %(account)s and approvals.approved_by is not null
order by approvals.approved_at desc
limit 1
for update of approvals
"""
_ASK = """
insert into activation.approvals (
    sync, account, release_id, declaration, guards, adds, changes, removes, in_flight
)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
returning approval_id
"""
_APPROVE = """
update activation.approvals set approved_by = %s, reason = %s, approved_at = clock_timestamp()
where approval_id = %s and approved_by is null
"""
_EXACT = 1e-9  # of a share, after it was kept as JSON


@dataclass(frozen=True)
class Approval:
    """What a person let pass, and why."""

    approval_id: int
    guards: tuple[str, ...]
    approved_by: str
    approved_at: datetime
    reason: str


@dataclass(frozen=True)
class Asked:
    """What a person is asked to let pass."""

    approval_id: int
    plan: Plan
    findings: list[Finding]


def ask(ctx: Context, sync: Sync, plan: Plan) -> Asked:
    """Put on record what would have to be approved for the plan to pass; it counts for nothing until somebody does.

    :raises LifehouseError: there is nothing to approve. :raises SyncRefused: no person may approve what stops it.
    """
    broken = [finding for finding in guards.examine(plan, sync) if not finding.holds]
    if not broken:
        raise LifehouseError(f"nothing to approve: no guard would stop the sync {sync.sync} now")
    if not all(finding.by_person for finding in broken):
        raise guards.refusal(broken, sync)
    approval_id = ctx.warehouse.value(
        _ASK,
        (
            *(sync.sync, sync.account_name, plan.release.release_id, _fingerprint(sync)),
            Jsonb({finding.guard: finding.measure for finding in broken}),
            *(plan.adds, plan.changes, plan.removes, plan.in_flight),
        ),
    )
    return Asked(approval_id, plan, broken)


def approve(ctx: Context, approval_id: int, *, by: str, reason: str) -> None:
    """Let the next run pass what was asked for.

    :raises LifehouseError: no reason is given.
    """
    if not reason.strip():
        raise LifehouseError("an approval needs a reason; it is kept with it")
    ctx.warehouse.execute(_APPROVE, (by, reason.strip(), approval_id))


def admit(
    connection: psycopg.Connection[Any], sync: Sync, plan: Plan, findings: Iterable[Finding], sync_run_id: int
) -> Approval | None:
    """Let the run pass, in the transaction that writes its plan; the approval that it needed is used up with it.

    :raises GuardTripped: a guard has tripped and nobody approved it. :raises SyncRefused: nobody could.
    """
    broken = [finding for finding in findings if not finding.holds]
    if not broken:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        values = {"sync": sync.sync, "account": sync.account_name, "run": sync_run_id}
        given = cursor.execute(_NEWEST, values).fetchone()
        why_not = _why_not(given, sync, plan, broken) if given else ""
        if not given or why_not or not all(finding.by_person for finding in broken):
            raise guards.refusal(broken, sync, why_not)
        cursor.execute(
            "update activation.approvals set used_by = %s, used_at = clock_timestamp() where approval_id = %s",
            (sync_run_id, given["approval_id"]),
        )
    return Approval(
        given["approval_id"],
        tuple(given["guards"]),
        given["approved_by"],
        given["approved_at"],
        given["reason"],
    )


def _why_not(given: dict[str, Any], sync: Sync, plan: Plan, broken: list[Finding]) -> str:
    """Why the approval does not let this plan pass, and what to do; empty where it does."""
    again = f"`lifehouse sync approve {sync.sync} --reason ...` approves what is there now"
    whose = f"the approval by {given['approved_by']} ({given['approved_at']:%Y-%m-%d %H:%M} UTC)"
    if not given["is_open"]:
        return f"if that is meant: {again}; {whose} was for run {given['used_by']} alone"
    if given["release_id"] != plan.release.release_id:
        return f"{whose} was for release {given['release_id']}, this is {plan.release.release_id}; {again}"
    if given["declaration"] != _fingerprint(sync):
        return f"{whose} does not count: the sync's file was changed since; {again}"
    worse = [finding.guard for finding in broken if not _is_covered(finding, given["guards"])]
    rows = {
        name: (given[name] + given["in_flight"], getattr(plan, name))
        for name in ("adds", "changes", "removes")
    }
    more = [f"{now:,} {name} instead of {then:,}" for name, (then, now) in rows.items() if now > then]
    if worse or more:
        return f"{whose} does not count: the plan has become worse ({', '.join([*worse, *more])}); {again}"
    return ""


def _is_covered(finding: Finding, approved: dict[str, float | None]) -> bool:
    if finding.guard not in approved:
        return False
    seen = approved[finding.guard]
    return seen is None or (finding.measure is not None and finding.measure <= seen + _EXACT)


def _fingerprint(sync: Sync) -> str:
    return hashlib.sha256(sync.model_dump_json().encode()).hexdigest()
