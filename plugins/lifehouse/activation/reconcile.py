"""Reconcile: what a platform holds against what we believe. Reads it back, compares in the warehouse, and repairs if asked to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row

from lifehouse.activation import folding, unsubscribes
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import Sync, find_sync
from lifehouse.activation.pace import Pace
from lifehouse.activation.plan import propose
from lifehouse.activation.platforms import members
from lifehouse.activation.platforms.base import Batch, Platform, Row
from lifehouse.activation.platforms.listing import Members
from lifehouse.activation.platforms.make import capabilities, make_platform
from lifehouse.activation.sender import sender
from lifehouse.activation.sql import statement
from lifehouse.context import Context
from lifehouse.errors import PlatformError
from lifehouse.masks import shape

EXAMPLES = 5
_LOOKED_UP = 1000  # rows at a time

_COUNTS = """
select
    count(*) filter (where side in ('both', 'only there')) as there,
    count(*) filter (where side <> 'only there') as ours,
    count(*) filter (where side = 'both') as both_hold,
    count(*) filter (where side = 'only here') as only_here,
    count(*) filter (where side = 'only here' and is_desired) as to_send_again,
    count(*) filter (where side = 'only there') as only_there,
    count(*) filter (where side = 'only there' and is_desired) as to_add,
    count(*) filter (where side = 'in flight') as in_flight
from compared
"""
_EXAMPLES = """
select side, customer_id, coalesce(record_key, their_key, their_id) as name
from (
    select *, row_number() over (partition by side order by customer_id, their_key, their_id) as place
    from compared where side in ('only here', 'only there')
) as differing
where place <= %s
order by side, place
"""
_NAMELESS = """
select record_key from activation.records
where account = %(account)s and sync = %(sync)s and field_hash is not null and platform_id is null
order by record_key
"""
_OURS = """
select record_key, platform_id from activation.records
where account = %(account)s and sync = %(sync)s and field_hash is not null and record_key > %(behind)s
    and (platform_id is not null or not %(needs_ids)s)
order by record_key
limit %(rows)s
"""
_IS_DUE = """
select
    exists (
        select from activation.records
        where account = %(account)s and sync = %(sync)s and field_hash is not null
    )
    and not exists (
        select from activation.reconciliations
        where account = %(account)s and sync = %(sync)s and is_repair and ended_at > clock_timestamp() - %(after)s
    )
"""
_KEEP = """
insert into activation.reconciliations
    (
        sync, account, there, ours, both_hold, only_here, only_there, in_flight, resent, gone, unsubscribed, is_repair,
        started_at
    )
values (
    %(sync)s, %(account)s, %(there)s, %(ours)s, %(both_hold)s, %(only_here)s, %(only_there)s, %(in_flight)s, %(resent)s,
    %(gone)s, %(unsubscribed)s, %(is_repair)s, %(started_at)s
)
"""


@dataclass(frozen=True)
class Example:
    """One of those in whom the two sides differ: whose it is, if ours, and what their key or id looks like."""

    side: str
    customer_id: str | None
    shape: str


@dataclass(frozen=True)
class Reconciled:
    """Counts of rows. ``only_here``: we believe the platform holds them, and it does not; ``only_there``: it does, not from us.

    ``to_send_again`` of the former belong there, ``to_add`` of the latter too. ``in_flight`` are not judged. Repaired:
    ``resent`` are sent again by the next sync, ``gone`` are believed to be there no longer. ``unsubscribed`` of our customers
    did so there, and were not suppressed for it. ``is_asked``: the platform tells only of those whom we ask after.
    """

    sync: str
    there: int
    ours: int
    both_hold: int
    only_here: int
    to_send_again: int
    only_there: int
    to_add: int
    in_flight: int
    resent: int = 0
    gone: int = 0
    unsubscribed: int = 0
    is_asked: bool = False
    examples: list[Example] = field(default_factory=list)


def reconcile(
    ctx: Context, name: str, connection: PlatformConnection | None = None, *, repair: bool = False
) -> Reconciled:
    """Read back who is there and compare. Holds the account meanwhile, so that no sync moves what is compared.

    :param repair: put what we believe right, for the next sync to act on; nothing is sent here, and who is only there stays.
    :raises PlatformError: the platform cannot be read back, or does not answer. :raises SyncRefused: nothing is published.
    """
    order, started = find_sync(ctx.project, name), datetime.now(UTC)
    platform = make_platform(order, ctx.home, connection)
    listing = platform.listing if isinstance(platform, members.Readable) else None
    if listing is None:
        why = order.unreadable or "it has no list of who is there"
        raise PlatformError(f"sync {name}: {order.platform} cannot be read back: {why}")
    values = {"account": order.account_name, "sync": order.sync}
    with sender(ctx.warehouse, order.account_name), ctx.warehouse.connect() as session:
        session.execute("create temporary table there (key text, id text)")
        session.execute("create temporary table opted_out (key text, id text)")
        folding.fold(session, order)
        session.commit()
        asyncio.run(_read(session, order, platform, listing))
        session.execute("set transaction isolation level repeatable read")
        propose(session, order)
        psycopg.ClientCursor(session).execute(statement("compare"), values)
        with session.cursor(row_factory=dict_row) as cursor:
            found = dict(cursor.execute(_COUNTS).fetchone() or {})
            examples = cursor.execute(_EXAMPLES, (EXAMPLES,)).fetchall()
            mended = {"resent": 0, "gone": 0}
            if repair and found["only_here"]:
                mended |= cursor.execute(statement("repair"), values).fetchone() or {}
            unsubscribed = _unsubscribed(cursor, order, listing, keep=repair)
            kept = {"unsubscribed": unsubscribed, "is_repair": repair, "started_at": started}
            cursor.execute(_KEEP, {**values, **found, **mended, **kept})
        session.commit()
    told = [Example(row["side"], row["customer_id"], shape(row["name"])) for row in examples]
    return Reconciled(
        sync=name,
        examples=told,
        unsubscribed=unsubscribed,
        is_asked=listing.asks is not None,
        **found,
        **mended,
    )


def if_due(ctx: Context, order: Sync, connection: PlatformConnection | None = None) -> str | None:
    """Read back and repair before a sync whose ``read_back`` says that it is time; what came of it, if anything.

    A platform that does not tell who is there holds up nobody: that is said, and tried again the next time.
    """
    if order.read_back is None or not ctx.warehouse.value(
        _IS_DUE, {"sync": order.sync, "account": order.account_name, "after": order.read_back}
    ):
        return None
    try:
        found = reconcile(ctx, order.sync, connection, repair=True)
    except PlatformError as fault:
        return f"it could not be read back who is there: {fault}"
    told = {
        "sent again": found.resent,
        "gone there": found.gone,
        "unsubscribed there, and suppressed": found.unsubscribed,
    }
    return ", ".join(f"{count:,} {what}" for what, count in told.items() if count) or None


def _unsubscribed(cursor: psycopg.Cursor[Any], order: Sync, listing: Members, *, keep: bool) -> int:
    """Whose unsubscribing concerns the sync: an e-mail's says nothing of a text message, nor of mail that needs no consent."""
    if order.consent == "none" or order.consent.channel != listing.channel:
        return 0
    return unsubscribes.read_back(cursor, order.account_name, order.sync, listing.channel, keep=keep)


async def _read(session: psycopg.Connection[Any], order: Sync, platform: Platform, listing: Members) -> None:
    """Fill ``there`` and ``opted_out``, and find the ids of our rows that have none where a list tells ids alone."""
    assert isinstance(platform, members.Readable)  # noqa: S101
    sending = order.sending
    rate = capabilities(order).per_second
    pace = Pace(sending.backoff.total_seconds(), sending.longest_wait.total_seconds(), rate)

    def pages(asked: Members) -> AsyncIterator[list[members.Member]]:
        if not isinstance(platform, members.Askable):
            return members.read(platform.page, asked, pace, sending.attempts)
        if asked.asks is None:
            return members.read(partial(platform.told, asked), asked, pace, sending.attempts)
        fetch = partial(platform.told, asked, None)
        return members.asked(fetch, asked, _ours(session, order, asked), pace, sending.attempts)

    async with platform:
        async for page in pages(listing):
            _note(session, "there", [member for member in page if member.is_held])
            _note(session, "opted_out", [member for member in page if member.is_unsubscribed])
        if listing.look_up:
            await _look_up(session, order, platform, pace)
        if isinstance(platform, members.Askable) and platform.opted_out:
            async for page in pages(platform.opted_out):
                _note(session, "opted_out", [member for member in page if member.is_held])


def _note(
    session: psycopg.Connection[Any], table: Literal["there", "opted_out"], page: list[members.Member]
) -> None:
    with session.cursor() as cursor, cursor.copy(f"copy {table} (key, id) from stdin") as copy:
        for member in page:
            copy.write_row((member.key, member.id))
    session.commit()


def _ours(session: psycopg.Connection[Any], order: Sync, asked: Members) -> Iterator[list[Row]]:
    """Our rows in the parts in which the platform is asked after them."""
    values = {
        "account": order.account_name,
        "sync": order.sync,
        "rows": asked.asks,
        "needs_ids": asked.needs_ids,
        "behind": "",
    }
    while rows := session.execute(_OURS, values).fetchall():
        session.commit()
        yield [Row(number, key, "change", "{}", id_) for number, (key, id_) in enumerate(rows)]
        values["behind"] = rows[-1][0]
    session.commit()


async def _look_up(
    session: psycopg.Connection[Any], order: Sync, platform: members.Readable, pace: Pace
) -> None:
    values = {"account": order.account_name, "sync": order.sync}
    keys = [row[0] for row in session.execute(_NAMELESS, values)]
    session.commit()
    for start in range(0, len(keys), _LOOKED_UP):
        rows = tuple(
            Row(number, key, "change", "{}")
            for number, key in enumerate(keys[start : start + _LOOKED_UP], start)
        )
        batch = Batch(0, uuid.uuid4(), order.sync, 0, 0, 0, rows)
        ids = await members.persistently(
            lambda batch=batch: platform.look_up(batch),  # type: ignore[misc]
            pace,
            order.sending.attempts,
        )
        with session.cursor() as cursor:
            cursor.executemany(
                "update activation.records set platform_id = %s where account = %s and sync = %s and record_key = %s",
                [(id_, order.account_name, order.sync, keys[number]) for number, id_ in ids.items()],
            )
        session.commit()
