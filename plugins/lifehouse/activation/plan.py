"""Plan: what a platform should hold against what it is known to hold. Set work in the warehouse; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from lifehouse.activation import folding, forward, leaving, permission, recipients
from lifehouse.activation.before import Before
from lifehouse.activation.declaration import Hashed, Sync, find_sync
from lifehouse.activation.platforms.base import ALL, Action, Capabilities
from lifehouse.activation.platforms.make import capabilities
from lifehouse.activation.sql import statement
from lifehouse.context import Context
from lifehouse.errors import ConfigError, SyncRefused
from lifehouse.privacy.hashing import expression
from lifehouse.spelling import did_you_mean
from lifehouse.warehouse.literal import literal

#: In which actions travel.
_ORDER: tuple[Action, ...] = ("remove", "change", "add")
#: What a plan's sorts and joins may take on the server: a million members are joined without a file.
_MEMORY = "256MB"


@dataclass(frozen=True)
class Release:
    """What is published: the only thing a sync speaks about."""

    release_id: int
    run_id: int
    as_of: datetime
    age: timedelta
    newest_as_of: datetime
    is_paused: bool


@dataclass(frozen=True)
class Plan:
    """Counts of rows. ``waiting`` were refused earlier and have not changed; ``in_flight`` await the platform's answer."""

    sync: str
    segment: str
    release: Release
    desired: int
    acknowledged: int
    held_out: int
    without_consent: int
    unreachable: int
    shared_key: int
    in_flight: int
    waiting: int
    adds: int
    changes: int
    removes: int
    capabilities: Capabilities
    suppressed: int = 0
    left_out: int = 0
    capped: int = 0
    quiet: int = 0
    quiet_until: datetime | None = None
    zoneless: int = 0
    before: Before = field(default_factory=Before)

    @property
    def consented(self) -> int:
        """Members who can be reached and have consented, sent or not."""
        return self.desired + self.held_out + self.shared_key + self.suppressed + self.left_out + self.capped

    @property
    def rows(self) -> int:
        return self.adds + self.changes + self.removes

    @property
    def calls(self) -> int:
        """Calls that the rows take if none fails; the polling of asynchronous jobs is not among them."""
        each = self.capabilities.calls
        return sum(count * each.get(lane, 1) for lane, count in self._batches().items())

    @property
    def batches(self) -> int:
        """Batches that the rows make; each may take several calls."""
        return sum(self._batches().values())

    def lanes(self) -> list[tuple[Action, str, int, int]]:
        """Of each action its lane, the rows of a batch there, and the number of the lane's first batch; removals come first."""
        batches, first, number = self._batches(), {}, 0
        for action in _ORDER:
            lane = self._lane(action)
            if lane not in first:
                first[lane] = number
                number += batches[lane]
        return [
            (action, lane, self._size(lane), first[lane])
            for action in _ORDER
            for lane in [self._lane(action)]
        ]

    def _lane(self, action: Action) -> str:
        return self.capabilities.lanes.get(action, ALL)

    def _size(self, lane: str) -> int:
        return self.capabilities.sizes.get(lane, self.capabilities.batch_size)

    def _batches(self) -> dict[str, int]:
        """Lane → its batches."""
        counts: dict[Action, int] = {"add": self.adds, "change": self.changes, "remove": self.removes}
        rows: dict[str, int] = {}
        for action in _ORDER:
            rows[self._lane(action)] = rows.get(self._lane(action), 0) + counts[action]
        return {lane: -(-count // self._size(lane)) for lane, count in rows.items()}


def plan(ctx: Context, sync: Sync | str, *, only_failed: bool = False) -> Plan:
    """What the sync would do now. Writes and sends nothing.

    :raises SyncRefused: nothing is published, or the segment is unknown. :raises ConfigError: a column is unknown.
    """
    if isinstance(sync, str):
        sync = find_sync(ctx.project, sync)
    with folding.reading(ctx.warehouse, sync) as connection:
        proposed = propose(connection, sync, only_failed=only_failed)
        connection.rollback()
    return proposed


def propose(connection: psycopg.Connection[Any], sync: Sync, *, only_failed: bool = False) -> Plan:
    """The plan, within a transaction, to whose end it leaves the temporary tables ``members`` and ``actions``."""
    release = _release(connection)
    _check_names(connection, sync)
    forward.check(connection, sync)
    moved = {sync.forward_only.field: forward.value(sync)} if sync.forward_only else {}
    values = {
        "account": sync.account_name,
        "sync": sync.sync,
        "segment": sync.segment,
        "mode": sync.mode,
        "only_failed": only_failed,
        "experiment": sync.experiment if sync.holdout else None,
        "share": sync.holdout.share if sync.holdout else 0,
        "salt": (sync.holdout.salt if sync.holdout else None) or sync.experiment,
        **permission.values(sync),
    }
    asked = permission.is_asked(connection, sync)
    cursor = psycopg.ClientCursor(connection)  # `create table as` takes no bound values
    members = statement("members").format(
        key=_value(sync.key),
        kept=forward.joins(sync, _value(sync.key)),
        fields=_fields(sync, moved),
        **permission.judge(cursor, sync, values, asked=asked),
    )
    cursor.execute(sql.SQL("set local work_mem = {}").format(literal(_MEMORY)))
    cursor.execute(members, values)
    cursor.execute("set local default_statistics_target = 10")  # enough to see that keys are unique
    cursor.execute("analyze members (customer_id, record_key, verdict)")
    cursor.execute(statement("shared"))
    actions = statement("actions").format(
        allowed=permission.of_records(sync, asked=asked),
        quiet=recipients.is_quiet(sync),
        fields=leaving.fields(sync, _fields(sync, {})),
        people=leaving.joined(sync),
    )
    cursor.execute(actions, values)
    with connection.cursor(row_factory=dict_row) as counting:
        counts = counting.execute(statement("counts"), values).fetchone() or {}
    return Plan(
        sync=sync.sync,
        segment=sync.segment,
        release=release,
        capabilities=capabilities(sync),
        before=Before.of(connection, sync),
        quiet_until=recipients.first_morning(sync),
        zoneless=recipients.zoneless(connection, sync),
        **counts,
    )


def _fields(sync: Sync, moved: dict[str, sql.Composable]) -> sql.Composable:
    """The object of a customer's fields; ``moved`` has what stands for a column."""
    pairs = [
        part
        for name, field in sync.fields.items()
        for part in (literal(name), moved.get(name) or _value(field))
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def _value(field: str | Hashed) -> sql.Composable:
    if isinstance(field, str):
        return sql.Identifier("customers", field)
    assert field.hashed_as  # noqa: S101  the declaration was checked
    column = sql.Identifier("customers", field.column)
    return expression(column, field.hashed_as, field.rules, field.country_code)


def _release(connection: psycopg.Connection[Any]) -> Release:
    row = connection.execute(
        """
        select
            published.release_id,
            releases.run_id,
            published.as_of,
            clock_timestamp() - published.published_at,
            (select max(as_of) from control.releases where withdrawn_at is null),
            coalesce((to_jsonb(published) ->> 'syncs_paused')::boolean, false)
        from control.published as published
        inner join control.releases as releases using (release_id)
        """
    ).fetchone()
    if row is None:
        raise SyncRefused("nothing is published yet, so there is nothing to send")
    release_id, run_id, as_of, age, newest, is_paused = row
    return Release(release_id, run_id, as_of, age, newest or as_of, is_paused)


def _check_names(connection: psycopg.Connection[Any], sync: Sync) -> None:
    columns = connection.execute(
        "select column_name from information_schema.columns where table_schema = 'marts' and table_name = 'customers'"
    )
    known = [row[0] for row in columns]
    for place, column in (
        ("key", sync.key_column),
        *((f"fields.{name}", column) for name, column in sync.columns.items()),
        *((("quiet_hours.zone_column", sync.zone_column),) if sync.zone_column else ()),
    ):
        if column not in known:
            raise ConfigError(
                f"sync {sync.sync}: {place}: marts.customers has no column {column!r}{did_you_mean(column, known)}"
            )
    segments = [row[0] for row in connection.execute("select segment from marts.segments")]
    if sync.segment not in segments:
        raise SyncRefused(
            f"sync {sync.sync}: the release has no segment {sync.segment!r}{did_you_mean(sync.segment, segments)}"
        )
