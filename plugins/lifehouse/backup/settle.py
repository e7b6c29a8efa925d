"""What a restored warehouse must be told: what it no longer holds, so that the next run makes it, and nothing is sent twice."""

from __future__ import annotations

from typing import Any

import psycopg

from lifehouse.backup.archive import Manifest

_MESSAGE = "it was under way when the backup was made"
_STATEMENTS = (
    "create schema if not exists staging",
    "create schema if not exists contract",
    "update control.core_state set fingerprint = null, change_seq = 0",
    """
    update control.slots set state = 'empty', release_id = null, fingerprint = null, change_seq = 0
    where %(slot)s::text is null or slot <> %(slot)s
    """,
    "update control.published set syncs_paused = true",
    """
    update control.runs set status = 'abandoned', ended_at = clock_timestamp(), message = %(message)s
    where status = 'running'
    """,
    """
    update control.stations set status = 'failed', ended_at = clock_timestamp(), message = %(message)s
    where status = 'running'
    """,
)
#: A rejected load rewinds its source: so what is not here is read again.
_REREAD = """
    update control.loads
    set status = 'rejected', decided_at = clock_timestamp(), decided_by = 'restore', change_seq = nextval('control.change_seq'),
        reason = 'the backup did not hold its raw records; the source is read again'
    where status <> 'rejected'
"""


def settle(connection: psycopg.Connection[Any], manifest: Manifest) -> int:
    """Within the restoring transaction; returns the number of loads that are read again."""
    parameters = {"slot": manifest.slot, "message": _MESSAGE}
    for statement in _STATEMENTS:
        connection.execute(statement, parameters if "%(" in statement else None)
    return 0 if manifest.with_raw else connection.execute(_REREAD).rowcount
