"""Quiet hours by the recipients' own clocks: who has a time zone on record waits for their own morning, whoever else goes.

Which zones are quiet is reckoned once, for all that there are; who is in them is a join. One whose zone is not on record,
or is none, keeps the sync's hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.activation.declaration import Sync
from lifehouse.warehouse.literal import literal


def _zone(sync: Sync) -> sql.Identifier | None:
    return sql.Identifier("customers", sync.zone_column) if sync.zone_column else None


def is_quiet(sync: Sync, now: datetime | None = None) -> sql.Composable:
    """A condition on ``customers``: it is quiet where they are. Without zones of theirs it is so for all, or for nobody."""
    now = now or datetime.now(UTC)
    by_the_sync = sql.SQL("true" if sync.quiet_until(now) else "false")
    zone = _zone(sync)
    if zone is None or sync.quiet_hours is None:
        return by_the_sync
    return sql.SQL("case when {zone} = any({known}) then {zone} = any({asleep}) else {otherwise} end").format(
        zone=zone,
        known=_names(sync.quiet_hours.places),
        asleep=_names(sync.quiet_hours.asleep(now)),
        otherwise=by_the_sync,
    )


def joined(sync: Sync) -> sql.Composable:
    """What ``is_quiet`` reads, beside a table ``differences``."""
    if _zone(sync) is None:
        return sql.SQL("")
    return sql.SQL(
        "left join marts.customers as customers on differences.customer_id = customers.customer_id"
    )


def zoneless(connection: psycopg.Connection[Any], sync: Sync) -> int:
    """Of the temporary table ``members``, those to be sent whose own time zone is not known."""
    zone = _zone(sync)
    if zone is None or sync.quiet_hours is None:
        return 0
    query = sql.SQL(
        "select count(*) from members left join marts.customers as customers using (customer_id)"
        " where members.verdict = 'send' and ({zone} = any({known})) is not true"
    ).format(zone=zone, known=_names(sync.quiet_hours.places))
    row = connection.execute(query).fetchone()
    return row[0] if row else 0


def first_morning(sync: Sync, now: datetime | None = None) -> datetime | None:
    """When the quiet hours end next, for anybody (UTC)."""
    now = now or datetime.now(UTC)
    ends = [sync.quiet_until(now)]
    if sync.quiet_hours and _zone(sync):
        ends += sync.quiet_hours.asleep(now).values()
    return min((end for end in ends if end), default=None)


def morning_of(
    connection: psycopg.Connection[Any], sync: Sync, customer_id: str, now: datetime | None = None
) -> datetime | None:
    """When the quiet hours that hold for the customer end (UTC); None if none do."""
    now = now or datetime.now(UTC)
    zone = _zone(sync)
    if zone is None or sync.quiet_hours is None:
        return sync.quiet_until(now)
    query = sql.SQL("select {zone} from marts.customers as customers where customer_id = %s").format(
        zone=zone
    )
    place = (connection.execute(query, (customer_id,)).fetchone() or (None,))[0]
    return (
        sync.quiet_hours.asleep(now).get(place) if place in sync.quiet_hours.places else sync.quiet_until(now)
    )


def _names(zones: Iterable[str]) -> sql.Composable:
    return sql.SQL("array[{}]::text[]").format(sql.SQL(", ").join(map(literal, sorted(zones))))
