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


# Differences of whole sets: a planner without statistics would probe the table that is being filled, row by row.
_LEAVE = """
    update history.segment_history as stays
    set left_release = %(release_id)s, left_as_of = %(as_of)s
    from (
        select segment, customer_id from history.segment_history where left_release is null
        except
        select segment, customer_id from {members}
    ) as gone
    where stays.left_release is null
        and stays.segment = gone.segment and stays.customer_id = gone.customer_id
"""

_ENTER = """
    insert into history.segment_history (segment, customer_id, entered_release, entered_as_of)
    select came.segment, came.customer_id, %(release_id)s, %(as_of)s
    from (
        select segment, customer_id from {members}
        except
        select segment, customer_id from history.segment_history where left_release is null
    ) as came
"""
