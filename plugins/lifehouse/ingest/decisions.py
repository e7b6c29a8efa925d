"""Loads and what was decided on them, by the raw gate or by a person, at any time."""

from __future__ import annotations

from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from lifehouse.context import Context
from lifehouse.errors import LifehouseError

Decision = Literal["accepted", "rejected"]

_DECIDE = """
update control.loads
set status = %(decision)s, decided_at = clock_timestamp(), decided_by = %(by)s, reason = %(reason)s,
    change_seq = nextval('control.change_seq')
where load_id = %(load)s
"""

#: The records of a released load wait in quarantine again.
_WAIT_AGAIN = """
with undone as (
    update {quarantine}
    set decision = null, decided_at = null, decided_by = null, decision_reason = null, released_load_id = null
    where released_load_id = %(load)s
    returning load_id, coalesce(column_name, '') as column_name, reason
),
counted as (
    select load_id, column_name, reason, count(*) as rows from undone group by load_id, column_name, reason
)
update control.quarantined as told
set released = told.released - counted.rows
from counted
where told.load_id = counted.load_id and told.table_name = %(table)s
    and told.column_name = counted.column_name and told.reason = counted.reason
"""


def find(ctx: Context, load_id: int) -> dict[str, Any]:
    """The row of ``control.loads``.

    :raises LifehouseError: there is no such load.
    """
    with ctx.warehouse.connect() as connection:
        return _find(connection, load_id, "")


def settle(ctx: Context, load_id: int, decision: Decision, *, by: str, reason: str | None = None) -> bool:
    """Write the decision with the next value of the clock of decisions; says whether it is another than before.

    A rejected load's source is read again from where that load began; what was built with it is computed again.
    Records that were released from a rejected load are withdrawn with it; those of a rejected released load wait
    in quarantine again.

    :raises LifehouseError: there is no such load, or what was decided on it cannot be changed any more.
    """
    with ctx.warehouse.connect() as connection:
        load = _find(connection, load_id, "for update")
        if load["status"] == decision:
            return False
        _refuse(load, decision)
        _decide(connection, load, decision, by, reason)
        if decision == "rejected":
            query = "select load_id from control.loads where origin_load_id = %s and status = 'accepted'"
            for (released,) in connection.execute(query, (load_id,)).fetchall():
                why = f"the load its records came with, {load_id}, was rejected"
                _decide(connection, _find(connection, released, "for update"), "rejected", by, why)
        return True


def _find(connection: psycopg.Connection[Any], load_id: int, lock: str) -> dict[str, Any]:
    cursor = connection.cursor(row_factory=dict_row)
    row = cursor.execute(f"select * from control.loads where load_id = %s {lock}", (load_id,)).fetchone()  # noqa: S608
    if row is None:
        raise LifehouseError(f"there is no load {load_id}; see `lifehouse loads`")
    return row


def _refuse(load: dict[str, Any], decision: Decision) -> None:
    """What cannot be taken back: nothing is left of the records that the decision would bring to life or undo."""
    place = f"load {load['load_id']} of {load['source']}"
    if load["baselined_at"] is not None:
        raise LifehouseError(
            f"{place} cannot be {decision} any more: a baseline replaced it on {load['baselined_at']:%Y-%m-%d} "
            "(retention), so what came before its records is gone; correct it at the source"
        )
    if load["kind"] == "released" and decision == "accepted":
        raise LifehouseError(
            f"{place} held records that wait in quarantine again; release them: "
            f"`lifehouse quarantine release --load {load['origin_load_id']}`"
        )


def _decide(
    connection: psycopg.Connection[Any], load: dict[str, Any], decision: Decision, by: str, reason: str | None
) -> None:
    parameters = {"decision": decision, "by": by, "reason": reason, "load": load["load_id"]}
    connection.execute(_DECIDE, parameters)
    if load["kind"] != "released" or decision != "rejected":
        return
    tables = connection.execute(
        "select table_name from control.load_tables where load_id = %s", (load["load_id"],)
    ).fetchall()
    for (table,) in tables:
        quarantine = sql.Identifier("quarantine", f"{load['source']}_{table}")
        query = sql.SQL(_WAIT_AGAIN).format(quarantine=quarantine)
        connection.execute(query, {"load": load["load_id"], "table": table})
