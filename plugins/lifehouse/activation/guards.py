"""The push gate: what must hold of a plan before the first call. Findings are kept in ``control.quality_results``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from lifehouse.activation.declaration import Sync
from lifehouse.activation.durations import words
from lifehouse.activation.plan import Plan
from lifehouse.errors import GuardTripped, SyncRefused

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Finding:
    """One guard's word. ``meaning`` says what must hold, ``observed`` what was found.

    ``measure`` is what it judged by, larger is worse; None where the release alone decides. ``by_person``: a person may
    let the sync run on although it does not hold.
    """

    guard: str
    holds: bool
    meaning: str
    observed: str
    measure: float | None = None
    by_person: bool = True


def examine(plan: Plan, sync: Sync, *, only_failed: bool = False) -> list[Finding]:
    """What every guard of the sync says about the plan; guards that are switched off say nothing.

    :param only_failed: a person tries refused rows again, so that earlier refusals stop nothing.
    """
    found = [*_of_release(plan, sync), *_of_size(plan, sync), *_of_consent(plan, sync)]
    return found if only_failed else [*found, *_of_refusals(plan, sync)]


def refusal(broken: Sequence[Finding], sync: Sync, remark: str = "") -> SyncRefused:
    """What a sync is refused with, whose guards do not hold: names each of them, and what a person may do.

    :param remark: what is to be said of an approval that does not count.
    """
    told = f"sync {sync.sync} sends nothing: " + "; ".join(
        f"{one.meaning}, but {one.observed}" for one in broken
    )
    if not all(finding.by_person for finding in broken):
        return SyncRefused(told)
    remark = remark or f"if that is meant: `lifehouse sync approve {sync.sync} --reason ...`, for one run"
    return GuardTripped(f"{told}; {remark}", [finding.guard for finding in broken])


def keep(
    connection: psycopg.Connection[Any],
    plan: Plan,
    sync: Sync,
    findings: Iterable[Finding],
    approved_by: str | None = None,
) -> None:
    """Put the findings where all gates' results are; an approved one is kept as what it is, and who approved it."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into control.quality_results
                (gate, run_id, subject, expectation, severity, success, checked, observed, meaning, what_to_do, owner)
            values ('push', %s, %s, %s, 'critical', %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    *(plan.release.run_id, sync.sync, finding.guard, finding.holds, plan.desired),
                    *(_told(finding, approved_by), finding.meaning),
                    *(_what_to_do(finding, sync), sync.owner),
                )
                for finding in findings
            ],
        )


def _told(finding: Finding, approved_by: str | None) -> str:
    return finding.observed + (f"; approved by {approved_by}" if approved_by and not finding.holds else "")


def _what_to_do(finding: Finding, sync: Sync) -> str:
    look = f"look at `lifehouse plan {sync.sync}`"
    if not finding.by_person:
        return look
    return f"{look}; if it is meant, `lifehouse sync approve {sync.sync}`, or widen guards.{finding.guard} for good"


def _of_release(plan: Plan, sync: Sync) -> Iterable[Finding]:
    release, guards = plan.release, sync.guards
    yield Finding(
        "not_paused",
        not release.is_paused,
        "syncs must not be paused",
        "a release was rolled back; the next publication resumes them"
        if release.is_paused
        else "they are not",
        by_person=False,
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
    is_large = plan.desired > guards.min_size
    yield Finding(
        "max_size" if is_large else "min_size",
        is_size_right,
        f"{plan.segment} must have {bounds} rows to hold",
        f"it has {plan.desired:,}",
        plan.desired if is_large else -plan.desired,
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
            meaning = f"{plan.segment} must not {verb} by more than {bound:.0%}"
            yield Finding(guard, share <= bound, meaning, observed, share)


def _of_consent(plan: Plan, sync: Sync) -> Iterable[Finding]:
    """A consent source that went missing looks like everybody withdrawing: nobody is removed for it unseen."""
    guards, before, asked = sync.guards, plan.before, plan.consented + plan.without_consent
    if guards.max_consent_drop is None or sync.consent == "none" or not asked:
        return
    if before.consented < max(guards.ignore_below, 1):
        return
    share_before = before.consented / (before.consented + before.without_consent)
    share = plan.consented / asked
    drop = 1 - share / share_before
    yield Finding(
        "max_consent_drop",
        drop <= guards.max_consent_drop + _ROUNDING,
        f"the share of members with consent must not fall by more than {guards.max_consent_drop:.0%} at once",
        f"it would go from {share_before:.1%} to {share:.1%}",
        drop,
    )


def _of_refusals(plan: Plan, sync: Sync) -> Iterable[Finding]:
    guards, before = sync.guards, plan.before
    if guards.max_refused_before is None or before.answered < max(guards.ignore_below, 1):
        return
    share = before.refused / before.answered
    yield Finding(
        "max_refused_before",
        share <= guards.max_refused_before,
        f"the platform must not have refused more than {guards.max_refused_before:.0%} of the rows last time",
        f"it refused {before.refused:,} of {before.answered:,}; `lifehouse sync {sync.sync} --only-failed` tries them again",
        share,
    )
