"""The outbox of one sync: plans become rows, rows are claimed in batches, answers are settled. Each in one transaction."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from lifehouse.activation import forward, marks, permission, recipients, suppressions
from lifehouse.activation.declaration import Sync
from lifehouse.activation.plan import Plan
from lifehouse.activation.platforms.base import Batch, Row
from lifehouse.activation.sender import Sender
from lifehouse.activation.sql import statement
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.errors import SyncRefused
from lifehouse.masks import mask


@dataclass
class Call:
    """A batch handed to a platform, as the ledger keeps it; it may take several ``requests``."""

    batch_id: int
    rows: int
    started_at: datetime
    outcome: str = "down"
    status_code: int | None = None
    milliseconds: float = 0
    requests: int = 1
    is_probe: bool = False

    def end(self, outcome: str, status_code: int | None, clock: float, requests: int = 1) -> None:
        """Write down how it ended; ``clock`` is the monotonic time at which it began."""
        self.outcome, self.status_code, self.requests = outcome, status_code, requests
        self.milliseconds = (time.monotonic() - clock) * 1000


@dataclass
class Outcome:
    """What became of a batch. Not ``is_settled``: the platform did not say, and the batch stays in flight.

    ``is_doubtful``: a call before the last one went unanswered, so what was refused in the end may have been taken.
    ``unsubscribed``: refused, since its person unsubscribed there.
    """

    batch: Batch
    is_settled: bool = False
    is_doubtful: bool = False
    refused: dict[int, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    unsubscribed: set[int] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)


@dataclass
class Settled:
    """Rows."""

    confirmed: int = 0
    refused: int = 0


@dataclass
class Claimed:
    """``recovered`` batches were in flight when their sender vanished; ``withdrawn`` rows are no longer allowed out."""

    batches: list[Batch] = field(default_factory=list)
    recovered: int = 0
    withdrawn: int = 0


@dataclass(frozen=True)
class Outbox:
    """The outbox of one run of one sync."""

    sender: Sender
    sync: Sync
    sync_run_id: int
    lease_seconds: float = 900

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        return self.sender.connection

    @property
    def _values(self) -> dict[str, Any]:
        return {
            "account": self.sender.account,
            "sync": self.sync.sync,
            "sync_run_id": self.sync_run_id,
            "me": self.sender.name,
        }

    def write(self, plan: Plan, *, only_failed: bool) -> None:
        """Make the plan's ``actions`` rows and batches, in the transaction that holds them."""
        values = {
            **self._values,
            "only_failed": only_failed,
            "batch_size": plan.capabilities.batch_size,
            "lanes": Jsonb(plan.capabilities.lanes),
            "sizes": Jsonb(plan.capabilities.sizes),
            "release_id": plan.release.release_id,
            "kind": self.sync.kind if self.sync.cap else None,
            "experiment": self.sync.experiment,
            "share": self.sync.holdout.share if self.sync.holdout else None,
        }
        names = ["supersede", "outbox"] if only_failed else ["supersede", "forgive", "outbox"]
        for name in [*names, "draw", "expose"] if self.sync.holdout else names:
            text = statement(name)
            query = (
                text.format(
                    marks=marks.of_fields(self.sync, sql.Identifier("fields")), stage=forward.stage(self.sync)
                )
                if name == "outbox"
                else text
            )
            self._connection.execute(query, values)

    def claim(self, limit: int) -> Claimed:
        """Lease up to ``limit`` batches. Permission is judged again here, by what is published and suppressed now.

        :raises SyncRefused: syncs were paused meanwhile.
        """
        claimed = Claimed()
        with self._connection.transaction(), self._connection.cursor(row_factory=dict_row) as cursor:
            self._require_unpaused(cursor)
            self._take_turns(cursor)
            values = {**self._values, "limit": limit, "lease_seconds": self.lease_seconds}
            values["is_quiet"] = not self.sync.zone_column and self.sync.quiet_until() is not None
            found = {row["batch_id"]: row for row in cursor.execute(statement("claim"), values)}
            rows = self._judged(cursor, list(found)) if found else []
            by_batch = {
                number: list(group) for number, group in itertools.groupby(rows, lambda row: row["batch_id"])
            }
            for batch_id, batch in sorted(found.items()):
                is_new = batch["was"] == "ready"
                claimed.recovered += not is_new
                mine = by_batch.get(batch_id, [])
                barred = [row["outbox_id"] for row in mine if not row["is_allowed"]]
                key = batch["idempotency_key"]
                if barred:
                    claimed.withdrawn += len(barred)
                    key = self._withhold(cursor, batch_id, barred, is_new=is_new)
                kept = tuple(_row(row) for row in mine if row["is_allowed"] or not is_new)
                run_id, release_id, number = batch["sync_run_id"], batch["release_id"], batch["number"]
                claimed.batches.append(
                    Batch(batch_id, key, self.sync.sync, run_id, release_id, number, kept, not is_new)
                )
        return claimed

    def settle(self, outcomes: Iterable[Outcome]) -> Settled:
        """Move acknowledged state by what the platform said, and keep the calls."""
        outcomes = list(outcomes)
        done = [outcome for outcome in outcomes if outcome.is_settled]
        confirmed, refused = [], []
        known = {outbox_id: id_ for outcome in done for outbox_id, id_ in outcome.ids.items()}
        for outcome in done:
            for row in outcome.batch.rows:
                reason = outcome.refused.get(row.outbox_id)
                if reason is None:
                    confirmed.append(row.outbox_id)
                else:
                    refused.append((row.outbox_id, _masked(reason, row), outcome.is_doubtful))
        values = {
            **self._values,
            "confirmed": confirmed,
            "platform_ids": [known.get(outbox_id) for outbox_id in confirmed],
            "refused": [outbox_id for outbox_id, _, _ in refused],
            "reasons": [reason for _, reason, _ in refused],
            "doubtful": [is_doubtful for _, _, is_doubtful in refused],
            "experiment": self.sync.experiment if self.sync.holdout else None,
        }
        with self._connection.transaction(), self._connection.cursor() as cursor:
            if confirmed:
                cursor.execute(statement("confirm"), values)
            if refused:
                cursor.execute(statement("refuse"), values)
            if unsubscribed := [outbox_id for outcome in done for outbox_id in outcome.unsubscribed]:
                channel = None if self.sync.consent == "none" else self.sync.consent.channel
                suppressions.reported(cursor, unsubscribed, channel)
            cursor.execute(
                """
                update activation.batches set status = 'settled', settled_at = clock_timestamp()
                where batch_id = any(%s) and claimed_by = %s
                """,
                ([outcome.batch.batch_id for outcome in done], self.sender.name),
            )
            self._keep_calls(cursor, [call for outcome in outcomes for call in outcome.calls])
            checkpoint(Step.SETTLING)
        return Settled(len(confirmed), len(refused))

    def left(self) -> int:
        """Rows of the sync that no platform has answered for."""
        row = self._connection.execute(
            "select count(*) from activation.outbox where account = %s and sync = %s and status = 'intent'",
            (self.sender.account, self.sync.sync),
        ).fetchone()
        return row[0] if row else 0

    def _require_unpaused(self, cursor: psycopg.Cursor[Any]) -> None:
        query = "select coalesce((to_jsonb(published) ->> 'syncs_paused')::boolean, false) as is_paused from control.published"
        row = cursor.execute(query).fetchone()
        if row is None or row["is_paused"]:
            raise SyncRefused(f"sync {self.sync.sync} stops: a release was rolled back while it was sending")

    def _take_turns(self, cursor: psycopg.Cursor[Any]) -> None:
        """Syncs of one kind claim one after the other, so that none misses what another is about to send."""
        if self.sync.cap:
            query = "select pg_advisory_xact_lock(hashtextextended('lifehouse cap ' || %s, 0))"
            cursor.execute(query, (self.sync.kind,))

    def _judged(self, cursor: psycopg.Cursor[Any], batches: list[int]) -> list[dict[str, Any]]:
        """The batches' open rows, in order, each with whether it may still go out."""
        query = statement("rows").format(
            consented=recipients.of_rows(self.sync), barred=permission.of_rows(self._connection, self.sync)
        )
        values = {**self._values, **permission.values(self.sync), "batches": batches}
        return cursor.execute(query, values).fetchall()

    def _withhold(
        self, cursor: psycopg.Cursor[Any], batch_id: int, barred: list[int], *, is_new: bool
    ) -> uuid.UUID:
        """Keep rows back. Of a batch in flight the platform may hold them already: there they become removals.

        The batch is another one now, so it gets another Idempotency-Key.
        """
        cursor.execute(statement("withhold" if is_new else "take_back"), {"barred": barred})
        query = """
            update activation.batches set idempotency_key = gen_random_uuid() where batch_id = %s returning idempotency_key
        """
        row = cursor.execute(query, (batch_id,)).fetchone()
        assert row  # noqa: S101
        return row["idempotency_key"]

    def _keep_calls(self, cursor: psycopg.Cursor[Any], calls: list[Call]) -> None:
        with cursor.copy(
            """
            copy activation.calls (
                sync_run_id, batch_id, rows, status_code, outcome, milliseconds, started_at, requests, is_probe
            ) from stdin
            """
        ) as copy:
            for call in calls:
                copy.write_row(
                    (
                        *(self.sync_run_id, call.batch_id, call.rows, call.status_code, call.outcome),
                        *(round(call.milliseconds, 1), call.started_at, call.requests),
                        call.is_probe,
                    )
                )


def _row(row: dict[str, Any]) -> Row:
    if row["is_allowed"]:
        return Row(row["outbox_id"], row["record_key"], row["action"], row["fields"], row["platform_id"])
    return Row(row["outbox_id"], row["record_key"], "remove", "{}", row["platform_id"])


def _masked(reason: str, row: Row) -> str:
    return mask(reason, [row.key, *(value for value in row.fields.values() if isinstance(value, str))])
