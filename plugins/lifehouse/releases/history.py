"""Segment membership over releases: a fact of publication, written in the publishing transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql


def record(connection: psycopg.Connection[Any], release_id: int, as_of: datetime, slot: str) -> None:
    """Close the stays of those who are no member in ``slot`` any more and open those of the new.

    Nothing happens where the slot has no ``segment_members``.
    """
    members = sql.Identifier(slot, "segment_members")
    row = connection.execute("select to_regclass(%s) is null", (f"{slot}.segment_members",)).fetchone()
    if row is None or row[0]:
        return
    facts = {"release_id": release_id, "as_of": as_of}
    connection.execute(sql.SQL(_LEAVE).format(members=members), facts)
    connection.execute(sql.SQL(_ENTER).format(members=members), facts)


def withdraw(connection: psycopg.Connection[Any], release_id: int) -> None:
    """After a rollback: who left with the release is a member again, who came with it has an empty stay."""
    connection.execute(
        """
        update history.segment_history set left_release = entered_release, left_as_of = entered_as_of
        where entered_release = %s
        """,
        (release_id,),
    )
    connection.execute(
        """
        update history.segment_history set left_release = null, left_as_of = null
        where left_release = %(release_id)s and entered_release <> %(release_id)s
        """,
        {"release_id": release_id},
    )


_LEAVE = """
    update history.segment_history as stays
    set left_release = %(release_id)s, left_as_of = %(as_of)s
    where stays.left_release is null and not exists (
        select from {members} as members
        where members.segment = stays.segment and members.customer_id = stays.customer_id
    )
"""

_ENTER = """
    insert into history.segment_history (segment, customer_id, entered_release, entered_as_of)
    select members.segment, members.customer_id, %(release_id)s, %(as_of)s
    from {members} as members
    where not exists (
        select from history.segment_history as stays
        where stays.left_release is null
            and stays.segment = members.segment and stays.customer_id = members.customer_id
    )
"""
