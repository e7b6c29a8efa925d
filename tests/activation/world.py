"""A published release by hand: the marts that activation reads, filled by SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import yaml

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.run import SyncResult, sync
from lifehouse.context import Context

MARTS = """
create table marts.segments (segment text primary key, family text);
create table marts.segment_members (segment text, customer_id text, primary key (segment, customer_id));
create table marts.customers (
    customer_id text primary key, first_name text, email text, status_stage text, net_revenue numeric, consent_email boolean
);
create table marts.consents (customer_id text, channel text, purpose text, status text, changed_at timestamptz);
create table marts.customer_identifiers (customer_id text, identifier_kind text, identifier text);
create table marts.lifecycle_stages (lifecycle text, stage text, stage_order integer);
insert into marts.lifecycle_stages values ('status', 'new', 1), ('status', 'active', 2), ('status', 'loyal', 3);
create table marts.customer_merges (retired_id text, customer_id text);
create index on marts.consents (customer_id);
insert into marts.segments (segment, family) values ('champions', 'value'), ('status_lost', 'lifecycle');
"""

PUSH = {
    "owner": "crm-team",
    "description": "champions, mirrored",
    "segment": "champions",
    "platform": "webhook",
    "connection": "receiver",
    "key": "email",
    "fields": {"name": "first_name", "stage": "status_stage", "revenue": "net_revenue"},
    "consent": {"channel": "email", "purpose": "marketing"},
    "sending": {"backoff": "10ms", "attempts": 4, "patience": "500ms"},
    "guards": {"max_refused": 1.0},
}


@dataclass
class World:
    """A company with customers ``c0001``..., whose e-mail is ``c0001@example.com``."""

    ctx: Context
    connection: PlatformConnection
    _connection: psycopg.Connection[Any] = field(init=False)

    def build(self) -> World:
        self._connection = self.ctx.warehouse.connect(autocommit=True)
        self._connection.execute(MARTS)
        return self

    @classmethod
    def founded(
        cls, make_context: Callable[..., Context], root: Path, connection: PlatformConnection
    ) -> World:
        """A project in the new folder ``root``, and a published release without customers."""
        root.mkdir()
        (root / "lifehouse.yml").write_text("company: Test\nreporting_currency: EUR\n", encoding="utf-8")
        world = cls(make_context(project_root=root), connection).build()
        world.publish()
        return world

    def declare(self, name: str = "push", **changes: object) -> None:
        path: Path = self.ctx.project.root / "dags" / "syncs" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        declared = {
            key: value for key, value in {"sync": name, **PUSH, **changes}.items() if value is not None
        }
        path.write_text(yaml.safe_dump(declared), encoding="utf-8")

    def people(self, count: int, *, segment: str = "champions") -> list[str]:
        """Customers who are members and consented; returns their keys."""
        self._connection.execute(
            """
            with added as (
                insert into marts.customers (customer_id, first_name, email, status_stage, net_revenue)
                select id, 'Name ' || n, id || '@example.com', 'active', n
                from generate_series(1, %s) as n, concat('c', lpad(n::text, greatest(4, length(n::text)), '0')) as id
                returning customer_id
            ),
            consented as (
                insert into marts.consents (customer_id, channel, purpose, status, changed_at)
                select customer_id, 'email', 'marketing', 'granted', '2017-01-01' from added
            ),
            identified as (
                insert into marts.customer_identifiers (customer_id, identifier_kind, identifier)
                select customer_id, 'email', customer_id || '@example.com' from added
            )
            insert into marts.segment_members select %s, customer_id from added
            """,
            (count, segment),
        )
        return [f"c{number:04d}@example.com" for number in range(1, count + 1)]

    def publish(self, as_of: str = "2017-12-29", *, age: str = "0s", paused: bool = False) -> None:
        self._connection.execute(
            """
            with run as (
                insert into control.runs (as_of, status, slot, fingerprint, change_seq, loads)
                values (%(as_of)s, 'published', 'blue', 'f', 0, '{}') returning run_id
            ),
            release as (
                insert into control.releases (run_id, slot, as_of, fingerprint, change_seq)
                select run_id, 'blue', %(as_of)s, 'f', 0 from run returning release_id
            )
            insert into control.published (slot, release_id, as_of, published_at, syncs_paused)
            select 'blue', release_id, %(as_of)s, clock_timestamp() - %(age)s::interval, %(paused)s from release
            on conflict (only_row) do update set
                release_id = excluded.release_id, as_of = excluded.as_of, published_at = excluded.published_at,
                syncs_paused = excluded.syncs_paused
            """,
            {"as_of": as_of, "age": age, "paused": paused},
        )

    def consent(self, customer: str, status: str, changed_at: str = "2017-02-01") -> None:
        self.sql("delete from marts.consents where customer_id = %s", customer)
        query = "insert into marts.consents values (%s, 'email', 'marketing', %s, %s)"
        self.sql(query, customer, status, changed_at)

    def merge(self, retired: str, customer: str) -> None:
        """They turn out to be one person, who keeps the older id and gets the identifiers of both."""
        self.sql("delete from marts.segment_members where customer_id = %s", retired)
        self.sql("delete from marts.customers where customer_id = %s", retired)
        self.sql(
            "update marts.customer_identifiers set customer_id = %s where customer_id = %s", customer, retired
        )
        self.sql("insert into marts.customer_merges values (%s, %s)", retired, customer)

    def leave(self, customers: Iterable[str]) -> None:
        self.sql("delete from marts.segment_members where customer_id = any(%s)", list(customers))

    def join(self, customers: Iterable[str], segment: str = "champions") -> None:
        for customer in customers:
            self.sql(
                "insert into marts.segment_members values (%s, %s) on conflict do nothing", segment, customer
            )

    def sql(self, query: str, *values: object) -> None:
        self._connection.execute(query, values or None)

    def sync(self, name: str = "push", *, only_failed: bool = False) -> SyncResult:
        return sync(self.ctx, name, self.connection, only_failed=only_failed)

    def open_rows(self) -> int:
        return self.ctx.warehouse.value("select count(*) from activation.outbox where settled_at is null")
