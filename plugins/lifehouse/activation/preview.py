"""What `lifehouse plan` tells beside the counts: which fields change, some rows, how long it will take. Nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from lifehouse.activation import folding, marks
from lifehouse.activation.declaration import Sync
from lifehouse.activation.plan import Plan, propose
from lifehouse.activation.platforms.base import Action
from lifehouse.context import Context
from lifehouse.masks import shape

EXAMPLES = 3

_FIELDS = sql.SQL("actions.fields::jsonb")
_CHANGED = """
select {columns}, count(*) filter (where is_comparable is not true) as others
from (
    select
        {marks} as now,
        records.field_marks as before,
        left(records.field_marks, {width}) = {names} as is_comparable
    from actions
    left join activation.records as records
        on records.account = %(account)s and records.sync = %(sync)s and records.record_key = actions.record_key
    where actions.action = 'change' and actions.is_waiting = %(only_failed)s
) as changes
"""
_EXAMPLES = """
select actions.action, actions.customer_id, actions.record_key, {marks} as now, records.field_marks as before
from (
    select *, row_number() over (partition by action order by customer_id) as place
    from actions where is_waiting = %(only_failed)s
) as actions
left join activation.records as records
    on records.account = %(account)s and records.sync = %(sync)s and records.record_key = actions.record_key
where actions.place <= %(examples)s
order by actions.action, actions.customer_id
"""
_LATENCY = """
select avg(milliseconds)::float8, count(*)
from (
    select milliseconds from activation.calls
    where outcome = 'settled' and sync_run_id in (
        select sync_run_id from activation.sync_runs
        where sync = %(sync)s and account = %(account)s and calls > 0
        order by sync_run_id desc limit 10
    )
    order by call_id desc limit 500
) as latest
"""


@dataclass(frozen=True)
class Example:
    """A row that would be sent: whose, what their key looks like, which fields would change."""

    action: Action
    customer_id: str
    key_shape: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """Seconds that the calls take if none fails, and what that is reckoned from."""

    seconds: float | None
    basis: str


@dataclass(frozen=True)
class Preview:
    """A plan with more said of it.

    ``changed``: field → rows in which it changes; of ``others``, changed too, that is not known.
    """

    plan: Plan
    changed: dict[str, int]
    others: int
    examples: list[Example]
    estimate: Estimate


def preview(ctx: Context, sync: Sync, *, only_failed: bool = False) -> Preview:
    """What the sync would do now, in detail. Writes and sends nothing.

    :raises SyncRefused: nothing is published, or the segment is unknown. :raises ConfigError: a column is unknown.
    """
    with folding.reading(ctx.warehouse, sync) as connection:
        plan = propose(connection, sync, only_failed=only_failed)
        values = {
            "account": sync.account_name,
            "sync": sync.sync,
            "only_failed": only_failed,
            "examples": EXAMPLES,
        }
        changed, others = _changed(connection, sync, values) if plan.changes else ({}, 0)
        found = Preview(
            plan,
            changed,
            others,
            _examples(connection, sync, values) if plan.rows else [],
            _estimate(connection, plan, values),
        )
        connection.rollback()
    return found


def _changed(
    connection: psycopg.Connection[Any], sync: Sync, values: dict[str, Any]
) -> tuple[dict[str, int], int]:
    names = marks.names(sync)
    counts: list[sql.Composable] = [
        sql.SQL(
            "count(*) filter (where is_comparable and substr(now, {0}, {1}) <> substr(before, {0}, {1}))"
        ).format(sql.Literal(marks.start(position)), sql.Literal(marks.WIDTH))
        for position in range(len(names))
    ]
    query = sql.SQL(_CHANGED).format(
        columns=sql.SQL(", ").join(counts or [sql.SQL("0")]),
        marks=marks.of_fields(sync, _FIELDS),
        width=sql.Literal(marks.WIDTH),
        names=sql.Literal(marks.of_names(sync)),
    )
    *each, others = connection.execute(query, values).fetchone() or (0,)
    found = {name: count for name, count in zip(names, each, strict=False) if count}
    return dict(sorted(found.items(), key=lambda pair: -pair[1])), others


def _examples(connection: psycopg.Connection[Any], sync: Sync, values: dict[str, Any]) -> list[Example]:
    query = sql.SQL(_EXAMPLES).format(marks=marks.of_fields(sync, _FIELDS))
    with connection.cursor(row_factory=dict_row) as cursor:
        return [
            Example(
                row["action"],
                row["customer_id"],
                shape(row["record_key"]),
                _differing(sync, row["before"], row["now"]) if row["action"] == "change" else (),
            )
            for row in cursor.execute(query, values)
        ]


def _differing(sync: Sync, before: str | None, now: str | None) -> tuple[str, ...]:
    if not before or not now or before[: marks.WIDTH] != now[: marks.WIDTH]:
        return ()
    starts = {name: marks.start(position) - 1 for position, name in enumerate(marks.names(sync))}
    width = marks.WIDTH
    return tuple(name for name, at in starts.items() if before[at : at + width] != now[at : at + width])


def _estimate(connection: psycopg.Connection[Any], plan: Plan, values: dict[str, Any]) -> Estimate:
    """By the platform's rate or by the calls' latency, whichever is slower; without a rate by the latency alone."""
    takes = plan.capabilities
    row = connection.execute(_LATENCY, values).fetchone()
    latency, measured = row or (None, 0)
    paced = plan.calls / takes.per_second if takes.per_second else None
    waited = plan.batches * latency / 1000 / takes.in_flight if latency is not None else None
    if waited is not None and waited >= (paced or 0):
        return Estimate(
            waited,
            f"{latency:,.0f} ms a batch, measured in the last {measured:,} of earlier runs, {takes.in_flight:,} at once",
        )
    if paced is not None:
        return Estimate(paced, f"{takes.per_second:g} calls a second are allowed")
    return Estimate(
        None, "the platform publishes no rate, and no earlier run tells how long its answers take"
    )
