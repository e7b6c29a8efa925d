"""Loads and what was decided on them, by the raw gate or by a person, at any time."""

from __future__ import annotations

from typing import Any, Literal

from lifehouse.context import Context
from lifehouse.errors import LifehouseError

Decision = Literal["accepted", "rejected"]


def find(ctx: Context, load_id: int) -> dict[str, Any]:
    """The row of ``control.loads``.

    :raises LifehouseError: there is no such load.
    """
    rows = ctx.warehouse.rows("select * from control.loads where load_id = %s", (load_id,))
    if not rows:
        raise LifehouseError(f"there is no load {load_id}; see `lifehouse loads list`")
    return rows[0]


def settle(ctx: Context, load_id: int, decision: Decision, *, by: str, reason: str | None = None) -> bool:
    """Write the decision with the next value of the clock of decisions; says whether it is another than before.

    A rejected load's source is read again from where that load began; what was built with it is computed again.
    """
    changed = ctx.warehouse.execute(
        """
        update control.loads
        set status = %(decision)s, decided_at = clock_timestamp(), decided_by = %(by)s, reason = %(reason)s,
            change_seq = nextval('control.change_seq')
        where load_id = %(load)s and status <> %(decision)s
        """,
        {"decision": decision, "by": by, "reason": reason, "load": load_id},
    )
    return bool(changed)
