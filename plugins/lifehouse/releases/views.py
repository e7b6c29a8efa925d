"""The views in ``marts``: both copies of a mart behind the one row of ``control.published``.

Steady state needs no DDL: the row decides. DDL runs only when the set of marts, their columns or the copies
that fit change; then in one transaction that gives way to readers and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql

from lifehouse.context import Context
from lifehouse.errors import BuildError, LifehouseError
from lifehouse.releases import catalog
from lifehouse.releases.catalog import SLOTS, Columns, View

LOCK_TIMEOUT = "25ms"  # what a reader can at most wait behind one view
PATIENCE = 60.0  # seconds of giving way before we say who is in the way
Result = TypeVar("Result")

# One copy has no condition: a transaction with a snapshot older than the switch must not see an empty mart.
_ONE_COPY = "select {columns} from {table}"
_COPY_OF_TWO = "select {columns} from {table} where (select slot from control.published) = {slot}"


def align(connection: psycopg.Connection[Any], marts: Sequence[str], served: str) -> list[str]:
    """Make the views read ``served``, and the other slot where it fits; returns the views that had to change.

    The other slot fits when the same code built it and it has every mart with the same columns.

    :raises BuildError: ``served`` lacks a mart.
    """
    copies = {slot: catalog.tables(connection, slot) for slot in SLOTS}
    missing = [mart for mart in marts if mart not in copies[served]]
    if missing:
        raise BuildError(f"the slot {served} lacks the mart{'s' * (len(missing) > 1)} {', '.join(missing)}")
    slots = [served, *_companions(connection, served, copies, marts)]
    wanted = {mart: View(copies[served][mart], frozenset(slots)) for mart in marts}
    present = catalog.views(connection)
    changed = [name for name in wanted if present.get(name) != wanted[name]]
    for name in sorted(present.keys() - wanted.keys()):
        _drop(connection, name)
    for name in changed:
        _create(connection, name, wanted[name].columns, slots, present.get(name))
    return changed


def detach(ctx: Context, slot: str) -> list[str]:
    """Make no view depend on the idle ``slot``: its tables can be dropped. Returns the views that changed.

    :raises LifehouseError: the slot is served; or readers held the views for a minute.
    """

    def work(connection: psycopg.Connection[Any]) -> list[str]:
        row = connection.execute("select slot from control.published").fetchone()
        if row and row[0] == slot:
            raise LifehouseError(f"the slot {slot} is served; it cannot be built anew")
        marts = catalog.tables(connection, row[0]) if row else {}
        attached = {name: view for name, view in catalog.views(connection).items() if slot in view.slots}
        for name, view in attached.items():
            if row and name in marts:
                _create(connection, name, marts[name], [row[0]], view)
            else:
                _drop(connection, name)
        return sorted(attached)

    return patiently(ctx, work)


def patiently(ctx: Context, work: Callable[[psycopg.Connection[Any]], Result]) -> Result:
    """Run ``work`` in one transaction that gives way to readers, again and again until it gets through.

    :raises LifehouseError: readers held the views all the time; names their sessions.
    """
    deadline, pause = time.monotonic() + PATIENCE, 0.02
    while True:
        try:
            with ctx.warehouse.connect() as connection:
                connection.execute("select set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
                return work(connection)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() > deadline:
                with ctx.warehouse.connect() as connection:
                    who = catalog.holders(connection)
                raise LifehouseError(
                    f"sessions have held the marts for {PATIENCE:.0f} seconds; end them and try again: {who}"
                ) from None
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        except errors.DependentObjectsStillExist as error:
            raise LifehouseError(
                f"a mart changes its columns while other views read it: {error.diag.message_detail}; "
                "drop those views, publish, and create them again"
            ) from None


def _companions(
    connection: psycopg.Connection[Any],
    served: str,
    copies: dict[str, dict[str, Columns]],
    marts: Sequence[str],
) -> list[str]:
    codes = dict(connection.execute("select slot, fingerprint from control.slots").fetchall())
    return [
        slot
        for slot in SLOTS
        if slot != served
        and codes[slot] is not None
        and codes[slot] == codes[served]
        and all(sorted(copies[slot].get(mart, [])) == sorted(copies[served][mart]) for mart in marts)
    ]


def _create(
    connection: psycopg.Connection[Any],
    name: str,
    columns: Columns,
    slots: Sequence[str],
    present: View | None,
) -> None:
    """``slots``: the served one first, whose comments the view takes over."""
    grants: list[str] = []
    if present is not None and columns[: len(present.columns)] != present.columns:
        grants = catalog.grants(connection, name)
        _drop(connection, name)
    listed = sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns)
    copy = sql.SQL(_ONE_COPY if len(slots) == 1 else _COPY_OF_TWO)
    branches = [
        copy.format(columns=listed, table=sql.Identifier(slot, name), slot=sql.Literal(slot))
        for slot in sorted(slots)
    ]
    view, query = sql.Identifier("marts", name), sql.SQL(" union all ").join(branches)
    connection.execute(sql.SQL("create or replace view {} as {}").format(view, query))
    for grant in grants:
        connection.execute(grant)
    for comment in catalog.comments(connection, slots[0], name):
        connection.execute(comment)


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(sql.SQL("drop view {}").format(sql.Identifier("marts", name)))
