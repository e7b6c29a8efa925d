"""Runs compiled lifecycles on a real Postgres, without dbt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import psycopg

from lifecycles.reference import Event, Interval
from lifehouse.lifecycles.compile import query
from lifehouse.lifecycles.declaration import Lifecycle

_COLUMNS = "customer_id, occurred_at, event_type, event_id, amount, currency, detail, channel, kind"


def create_timeline(connection: psycopg.Connection[Any]) -> None:
    """An empty ``customer_events`` with the types of core's."""
    connection.execute(
        "create temp table customer_events (customer_id text, occurred_at timestamptz, event_type text, event_id text,"
        " source text, source_key text, amount numeric, currency text, channel text, campaign_key text, kind text, detail text)"
    )


def fill(connection: psycopg.Connection[Any], customers: Mapping[str, list[Event]]) -> None:
    """Replace the timeline by these customers' events, in the given order."""
    connection.execute("truncate customer_events")
    with connection.cursor().copy(f"copy customer_events ({_COLUMNS}) from stdin") as copy:
        for customer, events in customers.items():
            for event in events:
                copy.write_row((customer, *astuple(event)))


def histories(connection: psycopg.Connection[Any], declared: Lifecycle) -> dict[str, list[Interval]]:
    """Each customer's intervals as Postgres finds them, in order of time."""
    found: dict[str, list[Interval]] = {}
    statement = (
        "select customer_id, stage, entered_at, exited_at, cause_type, cause_event_type, cause_event_id, window_days"
        f" from ({query(declared, 'customer_events')}) as intervals order by customer_id, entered_at, exited_at"
    )
    for customer, *row in connection.execute(statement.encode()):
        values = (value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)
        found.setdefault(customer, []).append(Interval(*values))
    return found
