"""The outbox of one sync: plans become batches of rows, batches are claimed, answers are settled. Each in one transaction."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from operator import itemgetter
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from lifehouse.activation import consent, folding, forward, marks, permission, recipients, unsubscribes
from lifehouse.activation.declaration import Sync
from lifehouse.activation.others import Snapshot
from lifehouse.activation.plan import Plan
from lifehouse.activation.platforms.base import Batch, Row
from lifehouse.activation.sender import Sender
from lifehouse.activation.sql import statement
from lifehouse.activation.steps import Step, checkpoint
from lifehouse.errors import SyncRefused
from lifehouse.masks import mask
from lifehouse.warehouse.connection import Warehouse


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
    ``refused``: place → reason; ``ids``: place → the platform's own; ``unsubscribed``: refused, since the person did there.
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
    """``recovered`` batches were in flight when their sender vanished; ``withdrawn`` rows are not allowed out now.

    ``quiet`` of these wait for the morning alone: the night has begun where they are.
    """

    batches: list[Batch] = field(default_factory=list)
    recovered: int = 0
    withdrawn: int = 0
    quiet: int = 0


@dataclass(frozen=True)
class Outbox:
    """The outbox of one run of one sync."""

    warehouse: Warehouse
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
        """Make the plan's ``actions`` batches of rows, in the transaction that holds them."""
        values = {
            **self._values,
            "only_failed": only_failed,
            **_columns(("actions", "lanes", "sizes", "first_numbers"), plan.lanes()),
            "release_id": plan.release.release_id,
            "kind": self.sync.kind if self.sync.cap else None,
            "experiment": self.sync.experiment,
            "share": self.sync.holdout.share if self.sync.holdout else None,
        }
        names = ["supersede", "outbox"] if only_failed else ["supersede", "forgive", "outbox"]
        for name in [*names, "draw", "expose"] if self.sync.holdout else names:
            query: sql.SQL | sql.Composed = statement(name)
            if name == "outbox":
                query = statement(name).format(
                    marks=marks.of_fields(self.sync, sql.Identifier("object")), stage=forward.stage(self.sync)
                )
            self._connection.execute(query, values)

    def claim(self, limit: int) -> Claimed:
        """Lease up to ``limit`` batches. Permission is judged again here, by what is published and suppressed now.

        :raises SyncRefused: syncs were paused meanwhile.
        """
        claimed = Claimed()
        with self.sender.writing() as seen, self._connection.cursor(row_factory=dict_row) as cursor:
            self._require_unpaused(cursor)
            self._take_turns(cursor)
            values = {**self._values, "limit": limit, "lease_seconds": self.lease_seconds}
            values["is_quiet"] = not self.sync.zone_column and self.sync.quiet_until() is not None
            found = sorted(cursor.execute(statement("claim"), values), key=itemgetter("batch_id"))
            barred = self._barred(cursor, self._doubtful(found, seen))
            for batch in found:
                is_recovered = batch["is_recovered"]
                claimed.recovered += is_recovered
                whys = barred.get(batch["batch_id"], {})
                if whys:
                    claimed.withdrawn += len(whys)
                    claimed.quiet += sum(why == "quiet" for why in whys.values())
                    self._withhold(cursor, batch, whys)
                gone = {*batch["withdrawn"], *(() if is_recovered else whys)}
                taken_back = frozenset(whys if is_recovered else ())
                claimed.batches.append(
                    Batch(
                        *(batch["batch_id"], batch["idempotency_key"], self.sync.sync),
                        *(batch["sync_run_id"], batch["release_id"], batch["number"]),
                        _rows(batch, gone, taken_back, keeps_fields=self.sync.removals_have_fields),
                        is_recovered,
                    )
                )
        return claimed

    def settle(self, outcomes: Iterable[Outcome]) -> Settled:
        """Write down what the platform said, and the calls; :func:`fold` moves acknowledged state by it."""
        outcomes = list(outcomes)
        done = [outcome for outcome in outcomes if outcome.is_settled]
        refused = [
            (outcome.batch.batch_id, row.place, _masked(outcome.refused[row.place], row), outcome.is_doubtful)
            for outcome in done
            if outcome.refused
            for row in outcome.batch.rows
            if row.place in outcome.refused
        ]
        values = {
            **self._values,
            "batches": [outcome.batch.batch_id for outcome in done],
            **_columns(("refused_batches", "refused_places", "reasons", "doubtful"), refused),
            "experiment": self.sync.experiment,
        }
        unsubscribed = [
            (outcome.batch.batch_id, place) for outcome in done for place in sorted(outcome.unsubscribed)
        ]
        writing = self._connection.transaction if unsubscribed else self.sender.writing
        with writing(), self._connection.cursor() as cursor:
            if refused:
                cursor.execute(statement("refuse"), values)
            if known := [(_ids(outcome), outcome.batch.batch_id) for outcome in done if outcome.ids]:
                cursor.executemany(
                    "update activation.batches set platform_ids = %s where batch_id = %s", known
                )
            if done:
                cursor.execute(statement("settle"), values)
            if done and self.sync.holdout:
                cursor.execute(statement("treated"), values)
            if unsubscribed:
                channel = None if self.sync.consent == "none" else self.sync.consent.channel
                unsubscribes.reported(cursor, unsubscribed, channel)
            self._keep_calls(cursor, [call for outcome in outcomes for call in outcome.calls])
            checkpoint(Step.SETTLING)
        rows = sum(len(outcome.batch.rows) for outcome in done)
        return Settled(rows - len(refused), len(refused))

    def fold(self) -> None:
        """Bring what the platform is known to hold up to date, on a connection of its own: claims and settlements go on."""
        with self.warehouse.connect(autocommit=True) as connection:
            folding.fold(connection, self.sync, lambda: self.sender.others.without(connection))

    def left(self) -> int:
        """Rows of the sync that no platform has answered for."""
        query = """
            select coalesce(sum(cardinality(batches.record_keys) - (
                select count(*) from activation.exceptions as exceptions
                where exceptions.batch_id = batches.batch_id and exceptions.status is not null
            )), 0)
            from activation.batches as batches
            where account = %(account)s and sync = %(sync)s and status in ('ready', 'sent')
        """
        row = self._connection.execute(query, self._values).fetchone()
        return int(row[0]) if row else 0

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

    def _doubtful(self, batches: list[dict[str, Any]], seen: Snapshot) -> list[dict[str, Any]]:
        """The batches that have to be judged again: what the clock decides, what was in flight, and all of them once anybody
        else has written since they were planned.
        """
        if self.sync.cap or self.sync.quiet_hours or self.sender.others.have_written(seen):
            return batches
        return [batch for batch in batches if batch["is_recovered"]]

    def _barred(
        self, cursor: psycopg.Cursor[Any], batches: list[dict[str, Any]]
    ) -> dict[int, dict[int, str]]:
        """Batch → place → why that row may not go out, or not before the morning (``quiet``)."""
        if not batches:
            return {}
        query = statement("judge").format(
            consented=consent.of_rows(self.sync),
            quiet=recipients.is_quiet(self.sync),
            barred=permission.of_rows(self._connection, self.sync),
        )
        values = {
            **self._values,
            **permission.values(self.sync),
            "batches": [batch["batch_id"] for batch in batches],
        }
        found: dict[int, dict[int, str]] = {}
        for row in cursor.execute(query, values):
            found.setdefault(row["batch_id"], {})[row["place"]] = row["why"]
        return found

    def _withhold(self, cursor: psycopg.Cursor[Any], batch: dict[str, Any], whys: dict[int, str]) -> None:
        """Keep rows back. Of a batch in flight the platform may hold them already: there they become removals.

        The batch is another one now, so it gets another Idempotency-Key.
        """
        values = {"batch_id": batch["batch_id"], "key": uuid.uuid4()}
        values |= {"places": list(whys), "whys": list(whys.values())}
        values["keeps_fields"] = self.sync.removals_have_fields
        cursor.execute(statement("take_back" if batch["is_recovered"] else "withhold"), values)
        query = "update activation.batches set idempotency_key = %(key)s where batch_id = %(batch_id)s"
        cursor.execute(query, values)
        batch["idempotency_key"] = values["key"]

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


def _rows(
    batch: dict[str, Any], gone: set[int], taken_back: frozenset[int], *, keeps_fields: bool
) -> tuple[Row, ...]:
    """The rows of a claimed batch, but for those that are ``gone``; those ``taken_back`` are removals now."""
    keys: list[str] = batch["record_keys"]
    places = range(1, len(keys) + 1)
    lines = (
        repeat("{}") if batch["fields"] is None else [line or "{}" for line in batch["fields"].split("\n")]
    )
    actions = batch["actions"] * len(keys) if len(batch["actions"]) == 1 else batch["actions"]
    columns = zip(places, keys, actions, lines, batch["platform_ids"] or repeat(None))  # noqa: B905  by keys
    rows: tuple[Row, ...] = tuple(
        map(tuple.__new__, repeat(Row), columns)
    )  # a hundred thousand a second more than by Row(...)
    if not gone and not taken_back:
        return rows
    return tuple(
        row._replace(action="remove", fields_json=row.fields_json if keeps_fields else "{}")
        if row.place in taken_back
        else row
        for row in rows
        if row.place not in gone
    )


def _ids(outcome: Outcome) -> list[str | None]:
    """The platform's ids of a batch, by place, as far as it told them."""
    return [outcome.ids.get(place) for place in range(1, max(outcome.ids) + 1)]


def _columns(names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Name → the values of one column of the rows."""
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def _masked(reason: str, row: Row) -> str:
    return mask(reason, [row.key, *(value for value in row.fields.values() if isinstance(value, str))])
