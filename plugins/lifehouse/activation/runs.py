"""The record of one sync run, from its opening to its end, however it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.activation.declaration import Sync
from lifehouse.activation.delivery import Delivered
from lifehouse.activation.plan import Plan
from lifehouse.warehouse.connection import Warehouse

_OF_PLAN = (
    *("desired", "acknowledged", "held_out", "without_consent", "unreachable", "shared_key", "waiting"),
    *("suppressed", "left_out", "capped"),
)


@dataclass
class SyncRun:
    """A row of ``activation.sync_runs``; what it counts grows while the sync works."""

    warehouse: Warehouse
    sync_run_id: int
    platform: str
    is_resuming: bool  # the run before this one was killed or failed
    adds: int = 0
    changes: int = 0
    removes: int = 0
    quiet: str | None = None
    read_back: str | None = None
    confirmed: int = 0
    refused: int = 0
    withdrawn: int = 0
    calls: int = 0
    repeated: int = 0
    outages: int = 0
    outage_seconds: float = 0

    @classmethod
    def open(cls, warehouse: Warehouse, sync: Sync, *, only_failed: bool) -> SyncRun:
        """Put a running run on record. Called by the account's only sender: a run still open there was killed."""
        warehouse.execute(
            """
            update activation.sync_runs
            set status = 'failed', ended_at = clock_timestamp(), message = 'killed before it ended'
            where sync = %s and account = %s and status = 'running'
            """,
            (sync.sync, sync.account_name),
        )
        before = warehouse.value(
            "select status from activation.sync_runs where sync = %s and account = %s order by sync_run_id desc limit 1",
            (sync.sync, sync.account_name),
        )
        sync_run_id = warehouse.value(
            """
            insert into activation.sync_runs (sync, account, platform, only_failed) values (%s, %s, %s, %s)
            returning sync_run_id
            """,
            (sync.sync, sync.account_name, sync.platform, only_failed),
        )
        return cls(warehouse, sync_run_id, sync.platform, before not in (None, "done"))

    def sized(self, plan: Plan, connection: psycopg.Connection[Any]) -> None:
        """Keep the sizes that a plan found, also of one that a guard stops."""
        values = self._values(
            release_id=plan.release.release_id,
            as_of=plan.release.as_of,
            **{name: getattr(plan, name) for name in _OF_PLAN},
        )
        connection.execute(_update(values), values)

    def planned(self, plan: Plan) -> None:
        """Count the rows of a plan that is in the outbox; one run may take two."""
        self.adds += plan.adds
        self.changes += plan.changes
        self.removes += plan.removes

    def delivered(self, delivered: Delivered) -> None:
        self.confirmed += delivered.confirmed
        self.refused += delivered.refused
        self.withdrawn += delivered.withdrawn
        self.calls += delivered.calls
        self.repeated += delivered.repeated
        self.outages += delivered.outages
        self.outage_seconds += delivered.outage_seconds

    def quieted(self, rows: int, until: datetime | None) -> None:
        """So many rows wait for the quiet hours to end."""
        if rows and until:
            wait = "row waits" if rows == 1 else "rows wait"
            self.quiet = f"{rows:,} {wait} for the quiet hours to end at {until:%Y-%m-%d %H:%M} UTC"

    @property
    def remark(self) -> str | None:
        """What a run that ended well has to tell all the same."""
        told = [text for text in (self.read_back, self.quiet) if text]
        if self.outages:
            times = "once" if self.outages == 1 else f"{self.outages:,} times"
            told.append(f"the platform was out {times}, for {self.outage_seconds:,.1f} seconds")
        if self.repeated:
            told.append(
                f"{self.repeated:,} rows were sent again without knowing whether they had arrived; "
                f"{self.platform} is not keyed and may hold them twice"
            )
        return "; ".join(told) or None

    def close(self, status: str, message: str | None = None) -> None:
        counts = (
            *("adds", "changes", "removes", "confirmed", "refused", "withdrawn"),
            *("calls", "repeated", "outages", "outage_seconds"),
        )
        values = self._values(
            status=status, message=message, **{name: getattr(self, name) for name in counts}
        )
        self.warehouse.execute(_update(values, ended_at=sql.SQL("clock_timestamp()")), values)

    def _values(self, **values: object) -> dict[str, object]:
        return {**values, "sync_run_id": self.sync_run_id}


def _update(values: Iterable[str], **expressions: sql.Composable) -> str:
    """The statement that sets these columns of the run, by name, and those that are given as expressions."""
    told = {name: sql.Placeholder(name) for name in values if name != "sync_run_id"} | expressions
    pairs = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in told.items()
    )
    query = sql.SQL("update activation.sync_runs set {} where sync_run_id = %(sync_run_id)s").format(pairs)
    return query.as_string(None)
