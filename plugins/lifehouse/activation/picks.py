"""Members that a person picked for a sync by hand: always in, or always out. Consent and suppressions still win."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lifehouse.activation.declaration import Sync
from lifehouse.context import Context
from lifehouse.errors import LifehouseError

_LIFT = """
update activation.picks set lifted_at = clock_timestamp(), lifted_by = %s
where sync = %s and customer_id = %s and lifted_at is null
returning pick_id
"""
_PICK = """
insert into activation.picks (sync, customer_id, is_in, reason, author, until) values (%s, %s, %s, %s, %s, %s)
"""
_LIST = """
select customer_id, is_in, reason, author, since, until
from activation.picks
where sync = %s and lifted_at is null and (until is null or until > clock_timestamp())
order by since desc, customer_id
"""


def pick(
    ctx: Context,
    sync: Sync,
    customer_id: str,
    *,
    is_in: bool,
    reason: str,
    author: str,
    until: datetime | None = None,
) -> None:
    """Have a customer always in the sync, or always out; what was picked for them before is lifted.

    :raises LifehouseError: there is no such customer, or no reason.
    """
    if not reason.strip():
        raise LifehouseError("a pick needs a reason; it is kept with it")
    if not ctx.warehouse.value(
        "select exists (select from marts.customers where customer_id = %s)", (customer_id,)
    ):
        raise LifehouseError(f"there is no customer {customer_id!r}; the mart customers lists them")
    with ctx.warehouse.connect() as connection:
        connection.execute(_LIFT, (author, sync.sync, customer_id))
        connection.execute(_PICK, (sync.sync, customer_id, is_in, reason.strip(), author, until))


def unpick(ctx: Context, sync: Sync, customer_id: str, *, author: str) -> None:
    """The rules decide again. :raises LifehouseError: nothing was picked for the customer."""
    with ctx.warehouse.connect() as connection:
        if connection.execute(_LIFT, (author, sync.sync, customer_id)).fetchone() is None:
            raise LifehouseError(
                f"nothing is picked for {customer_id!r} in {sync.sync}; `lifehouse sync picks {sync.sync}` lists all"
            )


def standing(ctx: Context, sync: Sync) -> list[dict[str, Any]]:
    """What is picked for the sync now, newest first."""
    return ctx.warehouse.rows(_LIST, (sync.sync,))
