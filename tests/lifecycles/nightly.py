"""The lifecycles' tables kept as the nights keep them: of the customers who changed the rows are made again, no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from lifecycles.lives import Record
from lifehouse.lifecycles.compile import query
from lifehouse.lifecycles.declaration import Lifecycle
from lifehouse.lifecycles.recorded import Pipelines

Rows = list[tuple[Any, ...]]
_TABLES = """
    drop table if exists records, refs, changed;
    create temp table records (key text primary key, person text, occurred_at timestamptz, event_type text, amount numeric,
        currency text, detail text, channel text, kind text);
    create temp table refs (person text primary key, customer_id text);
    create temp table changed (customer_id text);
    truncate customer_events
"""
_UPSERT = """
    insert into records values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (key) do update set person = excluded.person, occurred_at = excluded.occurred_at,
        event_type = excluded.event_type, amount = excluded.amount, detail = excluded.detail
"""
_EVENTS = """
    delete from customer_events where customer_id in (select customer_id from changed);
    insert into customer_events (customer_id, occurred_at, event_type, event_id, amount, currency, detail, channel, kind)
    select refs.customer_id, occurred_at, event_type, md5(event_type || '|source|' || key),
        amount, currency, detail, channel, kind
    from records inner join refs using (person)
    where refs.customer_id in (select customer_id from changed)
"""


class Nightly:
    """A table for the declared lifecycles, made in one pass, and one for the recorded ones, as the models have them."""

    def __init__(
        self, connection: psycopg.Connection[Any], lifecycles: Mapping[str, Sequence[Lifecycle] | Pipelines]
    ) -> None:
        self.connection, self.lifecycles = connection, lifecycles
        connection.execute(_TABLES)
        for name, declared in lifecycles.items():
            connection.execute(f"drop table if exists stays_{name}".encode())
            made = query(declared, "customer_events")
            connection.execute(f"create temp table stays_{name} as select * from ({made}) as made".encode())

    def night(
        self, arriving: list[Record], gone: list[str], owner: Mapping[str, str], changed: Iterable[str]
    ) -> None:
        """What arrived is stored in its order, what is gone is deleted, and the changed customers are made again."""
        with self.connection.cursor() as cursor:
            cursor.executemany(_UPSERT, [_row(record) for record in arriving])
            cursor.execute("delete from records where key = any(%s)", (gone,))
            cursor.execute("truncate refs, changed")
            cursor.executemany("insert into refs values (%s, %s)", list(owner.items()))
            cursor.executemany("insert into changed values (%s)", [(name,) for name in changed])
            cursor.execute(_EVENTS)
            for name, declared in self.lifecycles.items():
                cursor.execute(
                    f"delete from stays_{name} where customer_id in (select customer_id from changed)".encode()
                )
                made = query(
                    declared,
                    "customer_events",
                    "customer_events.customer_id in (select customer_id from changed)",
                )
                cursor.execute(f"insert into stays_{name} {made}".encode())

    def written(self, name: str, since: int) -> set[str]:
        """The customers whose rows were written by that transaction or a later one."""
        rows = self.connection.execute(
            f"select distinct customer_id from stays_{name} where xmin::text::bigint >= %s".encode(), (since,)
        )
        return {row[0] for row in rows}

    def transaction(self) -> int:
        """The number of a transaction that begins and ends now."""
        row = self.connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
        assert row is not None
        return int(row[0])

    def kept(self, name: str) -> Rows:
        """The rows as the nights left them."""
        return self._rows(f"stays_{name}")

    def rebuilt(self, name: str) -> Rows:
        """The rows as one build of everything makes them."""
        return self._rows(f"({query(self.lifecycles[name], 'customer_events')}) as rebuilt")

    def _rows(self, source: str) -> Rows:
        found = self.connection.execute(
            f"select * from {source} order by customer_id, lifecycle, entered_at, stage".encode()
        )
        return [
            tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)
            for row in found
        ]


def _row(record: Record) -> tuple[Any, ...]:
    event = record.event
    return (
        *(record.key, record.person, event.at, event.type),
        *(event.amount, event.currency, event.detail, event.channel, event.kind),
    )
