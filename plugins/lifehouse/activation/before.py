"""What earlier runs of a sync left that the next one is judged against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from lifehouse.activation.declaration import Sync

_CONSENTED = """
select
    desired + held_out + shared_key + coalesce(suppressed, 0) + coalesce(left_out, 0) + coalesce(capped, 0), without_consent
from activation.sync_runs
where sync = %s and account = %s and status <> 'running' and desired is not null
    and (status = 'done' or confirmed + refused > 0)
order by sync_run_id desc
limit 1
"""
_ANSWERED = """
select confirmed + refused, refused
from activation.sync_runs
where sync = %s and account = %s and status <> 'running' and confirmed + refused > 0
order by sync_run_id desc
limit 1
"""


@dataclass(frozen=True)
class Before:
    """Counts of rows; 0 where there was no such run.

    ``consented`` and ``without_consent`` of the members who could be reached, in the newest run that its guards let pass;
    ``answered`` and of these ``refused`` by the platform, in the newest run that it answered.
    """

    consented: int = 0
    without_consent: int = 0
    answered: int = 0
    refused: int = 0

    @classmethod
    def of(cls, connection: psycopg.Connection[Any], sync: Sync) -> Before:
        """Two look-ups by index; a run that is still open is not asked."""
        whose = (sync.sync, sync.account_name)
        consented, without = connection.execute(_CONSENTED, whose).fetchone() or (0, 0)
        answered, refused = connection.execute(_ANSWERED, whose).fetchone() or (0, 0)
        return cls(consented, without, answered, refused)
