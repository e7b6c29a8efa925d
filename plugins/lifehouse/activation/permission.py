"""Permission as one join: who may be sent, asked in the same words of all members when planning and of a few rows when sending.

A member is sent if they consented (:mod:`lifehouse.activation.consent`), no suppression stands against them, no person
left them out, and they have not had as much of the sync's kind as they may. A sync that nothing of this concerns asks nothing.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from lifehouse.activation import consent
from lifehouse.activation.declaration import Sync
from lifehouse.activation.sql import statement

_CONCERNS = """
select
    exists (select from activation.suppressions where lifted_at is null)
    or exists (select from activation.picks where sync = %s and lifted_at is null)
"""
_NOBODY = sql.SQL("select null::text as customer_id, null::text as why where false")
_MEMBERS = sql.SQL(
    "select members.customer_id from marts.segment_members as members where members.segment = %(segment)s"
)
_OF_PLAN = sql.SQL("""
    select members.customer_id from marts.segment_members as members where members.segment = %(segment)s
    union
    select records.customer_id from activation.records as records
    where records.account = %(account)s and records.sync = %(sync)s
    union
    select coalesce(merges.customer_id, picks.customer_id)
    from activation.picks as picks
    left join marts.customer_merges as merges on picks.customer_id = merges.retired_id
    where picks.sync = %(sync)s and picks.lifted_at is null
""")
_OF_ROWS = sql.SQL("""
    select outbox.customer_id from activation.outbox as outbox
    where outbox.batch_id = any(%(batches)s) and outbox.settled_at is null
    group by outbox.customer_id
""")
#: Keyed by the same secret as the masks; what it is for stands before the value, so that neither tells of the other.
HASH = sql.SQL(
    "encode(sha256((select control.mask_secret()) || "
    "convert_to('suppression:' || {kind} || ':' || {value}, 'UTF8')), 'hex')"
)


def values(sync: Sync) -> dict[str, Any]:
    """What the statements bind."""
    return {
        "channel": None if sync.consent == "none" else sync.consent.channel,
        "kind": sync.kind if sync.cap else None,
        "at_most": sync.cap.at_most if sync.cap else None,
        "within": sync.cap.within if sync.cap else None,
    }


def is_asked(connection: psycopg.Connection[Any], sync: Sync) -> bool:
    """Whether anything beside consent may keep a member of the sync back."""
    if sync.cap:
        return True
    row = connection.execute(_CONCERNS, (sync.sync,)).fetchone()
    return bool(row and row[0])


def judge(
    cursor: psycopg.ClientCursor[Any], sync: Sync, bound: dict[str, Any], *, asked: bool
) -> dict[str, sql.Composable]:
    """Make the temporary table ``barred``, if anything is asked, and return the parts of ``members`` that read it."""
    parts = {"consented": consent.of_members(sync)}
    if not asked:
        return {**parts, "members": _MEMBERS, "why": sql.SQL("null::text"), "barred": sql.SQL("")}
    cursor.execute(
        sql.SQL("create temporary table barred on commit drop as {}").format(_barred(_OF_PLAN)), bound
    )
    cursor.execute("analyze barred")
    picked = sql.SQL("{} union select barred.customer_id from barred where barred.why = 'picked'")
    return {
        **parts,
        "members": picked.format(_MEMBERS),
        "why": sql.SQL("barred.why"),
        "barred": sql.SQL("left join barred using (customer_id)"),
    }


def of_records(sync: Sync, *, asked: bool) -> sql.Composable:
    """A condition on ``records.customer_id``: one who left the segment may stay. Reads ``barred`` if anything is asked."""
    allowed = consent.of_records(sync)
    if not asked:
        return allowed
    return sql.SQL(
        "{} and records.customer_id not in (select barred.customer_id from barred where barred.why in ('suppressed', 'left out'))"
    ).format(allowed)


def of_rows(connection: psycopg.Connection[Any], sync: Sync) -> sql.Composable:
    """Customer and why, of those in ``%(batches)s`` who may not be sent."""
    return _barred(_OF_ROWS) if is_asked(connection, sync) else _NOBODY


def _barred(asked: sql.Composable) -> sql.Composable:
    hashed = HASH.format(
        kind=sql.Identifier("identifiers", "identifier_kind"),
        value=sql.Identifier("identifiers", "identifier"),
    )
    return statement("barred").format(asked=asked, hashed=hashed)
