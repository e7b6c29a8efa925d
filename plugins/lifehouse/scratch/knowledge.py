"""What a scratch build may know: a set of loads, and the code that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.fingerprint import fingerprint
from lifehouse.releases.run import Run, newest_decision


@dataclass(frozen=True)
class Knowledge:
    """``loads`` are read whatever their status is now; ``change_seq`` is the newest decision among them."""

    fingerprint: str
    change_seq: int
    loads: list[int]

    @classmethod
    def today(cls, ctx: Context) -> Knowledge:
        """The loads that are accepted now, and the code as it is.

        :raises LifehouseError: no load is accepted.
        """
        with ctx.warehouse.connect() as connection:
            change_seq = newest_decision(connection)
            loads = [row[0] for row in connection.execute(_ACCEPTED, (change_seq,))]
        if not loads:
            raise LifehouseError(
                "no load is accepted, so there is nothing to build from; see `lifehouse loads list`"
            )
        return cls(fingerprint(ctx), change_seq, loads)

    @classmethod
    def of_run(cls, ctx: Context, run: Run) -> Knowledge:
        """The loads that a run read, and the code as it is now.

        :raises LifehouseError: raw no longer holds them as they were.
        """
        with ctx.warehouse.connect() as connection:
            pruned = connection.execute(_PRUNED, (run.loads,)).fetchone()
            gone = _gone(connection, run.loads)
        if gone:
            raise LifehouseError(
                f"what was known at run {run.run_id} cannot be rebuilt: raw holds none of its loads of "
                f"{', '.join(gone)} (a backup brings back no raw records)"
            )
        if pruned and pruned[0]:
            raise LifehouseError(
                f"what was known at run {run.run_id} cannot be rebuilt: since then {pruned[0]} "
                f"load{'s' * (pruned[0] != 1)} of {pruned[1]} that it knew otherwise became part of raw's baseline, as "
                "the retention of their tables asks; ask for a later run, or restore raw from a backup of the database"
            )
        return cls(fingerprint(ctx), run.change_seq, run.loads)


def _gone(connection: psycopg.Connection[Any], loads: list[int]) -> list[str]:
    """The tables with stored records in ``loads`` of which raw has none."""
    gone = []
    for source, table, stored, exists in connection.execute(_STORED, (loads,)).fetchall():
        query = sql.SQL("select exists (select from {} where _load_id = any(%s))")
        name = sql.Identifier(f"raw_{source}", table)
        row = connection.execute(query.format(name), (stored,)).fetchone() if exists else None
        if row is None or not row[0]:
            gone.append(f"{source}.{table}")
    return gone


_STORED = """
    select loads.source, tables.table_name, array_agg(loads.load_id),
        to_regclass(format('%%I.%%I', 'raw_' || loads.source, tables.table_name)) is not null
    from control.load_tables as tables inner join control.loads as loads using (load_id)
    where tables.loaded > 0 and loads.load_id = any(%s)
    group by loads.source, tables.table_name
    order by loads.source, tables.table_name
"""

_ACCEPTED = """
    select load_id from control.loads where status = 'accepted' and change_seq <= %s order by load_id
"""

# A baseline keeps what stands once all of its loads are decided: a run that knew the same decisions reads the same.
_PRUNED = """
    select count(*), string_agg(distinct source, ', ')
    from control.loads
    where baselined_at is not null and (status = 'accepted') <> (load_id = any(%s))
"""
