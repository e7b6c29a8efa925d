"""The push gate: what must hold of a plan before the first call. Findings are kept in ``control.quality_results``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lifehouse.activation.declaration import Sync
from lifehouse.activation.durations import words
from lifehouse.activation.plan import Plan
from lifehouse.errors import SyncRefused
from lifehouse.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Finding:
    """One guard's word. ``meaning`` says what must hold, ``observed`` what was found."""

    guard: str
    holds: bool
    meaning: str
    observed: str


def examine(plan: Plan, sync: Sync) -> list[Finding]:
    """What every guard of the sync says about the plan; guards that are switched off say nothing."""
    return [*_of_release(plan, sync), *_of_size(plan, sync)]


def require(findings: Iterable[Finding], sync: Sync) -> None:
    """:raises SyncRefused: a guard does not hold; the message names each that does not."""
    broken = [f"{finding.meaning}, but {finding.observed}" for finding in findings if not finding.holds]
    if broken:
        raise SyncRefused(f"sync {sync.sync} sends nothing: " + "; ".join(broken))


def keep(warehouse: Warehouse, plan: Plan, sync: Sync, findings: Iterable[Finding]) -> None:
    """Put the findings where all gates' results are."""
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into control.quality_results
                (gate, run_id, subject, expectation, severity, success, checked, observed, meaning, what_to_do, owner)
            values ('push', %s, %s, %s, 'critical', %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    *(plan.release.run_id, sync.sync, finding.guard, finding.holds, plan.desired),
                    *(finding.observed, finding.meaning),
                    *(
                        f"look at `lifehouse plan {sync.sync}`; if it is meant, widen guards.{finding.guard}",
                        sync.owner,
                    ),
                )
                for finding in findings
            ],
        )


def _of_release(plan: Plan, sync: Sync) -> Iterable[Finding]:
    release, guards = plan.release, sync.guards
    yield Finding(
        "not_paused",
        not release.is_paused,
        "syncs must not be paused",
        "a release was rolled back; the next publication resumes them"
        if release.is_paused
        else "they are not",
    )
    if guards.max_age is not None:
        yield Finding(
            "max_age",
            release.age <= guards.max_age,
            f"the release must be at most {words(guards.max_age)} old",
            f"it was published {words(release.age)} ago",
        )
    if guards.max_behind is not None:
        yield Finding(
            "max_behind",
            release.as_of >= release.newest_as_of - guards.max_behind,
            "the release must not speak about an earlier instant than one published before"
            + (f", by more than {words(guards.max_behind)}" if guards.max_behind else ""),
            f"it is as of {release.as_of:%Y-%m-%d %H:%M}, and {release.newest_as_of:%Y-%m-%d %H:%M} was published",
        )


def _of_size(plan: Plan, sync: Sync) -> Iterable[Finding]:
    guards = sync.guards
    is_size_right = (
        guards.min_size <= plan.desired <= (guards.max_size if guards.max_size is not None else plan.desired)
    )
    bounds = f"at least {guards.min_size:,}" + (
        f" and at most {guards.max_size:,}" if guards.max_size is not None else ""
    )
    yield Finding(
        "max_size" if plan.desired > guards.min_size else "min_size",
        is_size_right,
        f"{plan.segment} must have {bounds} rows to hold",
        f"it has {plan.desired:,}",
    )
    if plan.acknowledged < max(guards.ignore_below, 1) or sync.mode != "mirror":
        return  # elsewhere those who left are still held
    change = plan.desired / plan.acknowledged - 1
    observed = f"it would go from {plan.acknowledged:,} to {plan.desired:,} ({change:+.0%})"
    for guard, bound, share, verb in (
        ("max_growth", guards.max_growth, change, "grow"),
        ("max_shrink", guards.max_shrink, -change, "shrink"),
    ):
        if bound is not None:
            yield Finding(
                guard, share <= bound, f"{plan.segment} must not {verb} by more than {bound:.0%}", observed
            )
