"""The views in ``marts``: both copies of a mart behind the one row of ``control.published``.

Steady state needs no DDL: the row decides. DDL runs only when the set of marts, their columns or the copies
that fit change, and gives way to readers. It goes view by view, each in a transaction of its own: a copy that is not
served joins or leaves; where columns differ, the view shows those of both copies while the row changes, and afterwards
those that are served. Only a column whose type becomes another, narrower one changes in the publishing transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql

from lifehouse.context import Context
from lifehouse.errors import BuildError, LifehouseError
from lifehouse.privacy import tags
from lifehouse.privacy.masking import viewed
from lifehouse.releases import catalog
from lifehouse.releases.catalog import SLOTS, Columns, View

LOCK_TIMEOUT = "25ms"  # what a reader can at most wait behind one view
PATIENCE = 60.0  # seconds of giving way before we say who is in the way
log = logging.getLogger("lifehouse")
Result = TypeVar("Result")

_OLDER_SNAPSHOTS = """
    select exists (
        select from pg_stat_activity as activity
        cross join control.published
        where activity.datname = current_database() and activity.backend_xmin is not null
            and age(activity.backend_xmin) >= age(published.xmin)
    )
"""

# One copy has no condition: a transaction with a snapshot older than the switch must not see an empty mart.
_ONE_COPY = "select {columns} from {table}"
_DROP = sql.SQL("drop view {}")
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
    wanted = {mart: _view(copies[served][mart], slots) for mart in marts}
    present = catalog.views(connection)
    changed = [name for name in wanted if not _serves(present.get(name), wanted[name])]
    for name in sorted(present.keys() - wanted.keys()):
        _drop(connection, name)
    for name in changed:
        _create(connection, name, wanted[name].columns, slots, present.get(name))
    return changed


def attach(ctx: Context, marts: Sequence[str], slot: str) -> list[str]:
    """Make the views read the idle ``slot`` beside the served one, so that publishing it is one row. Returns the views
    that changed.

    A view whose copies differ in columns shows those of both, null where a copy has none, until it is settled.

    :raises LifehouseError: readers held a view for a minute.
    """
    with ctx.warehouse.connect() as connection:
        row = connection.execute("select slot from control.published").fetchone()
        if row is None or row[0] == slot:
            return []
        copies = {each: catalog.tables(connection, each) for each in SLOTS}
        present = catalog.views(connection)
        served = row[0]
        shown = {
            mart: _joined(connection, mart, copies[served][mart], copies[slot][mart])
            for mart in marts
            if mart in present and mart in copies[served] and mart in copies[slot]
        }
    both = {mart: _view(columns, SLOTS) for mart, columns in shown.items() if columns is not None}
    changed = [mart for mart in both if not _serves(present[mart], both[mart])]
    for mart in changed:
        held = {each: copies[each][mart] for each in SLOTS}
        columns, seen = both[mart].columns, present[mart]
        _alone(ctx, lambda c, m=mart, s=seen, k=columns, h=held: _create(c, m, k, [slot, served], s, h))  # type: ignore[misc]
    return changed


def settle(ctx: Context, marts: Sequence[str]) -> None:
    """Make the views show the served copy's columns and no others, one by one, once no reader looks at the copy before.

    What readers hinder stays: the next build, which takes the idle copy out of the views, does it.
    """
    with ctx.warehouse.connect() as connection:
        row = connection.execute("select slot from control.published").fetchone()
        if row is None:
            return
        served, held, present = row[0], catalog.tables(connection, row[0]), catalog.views(connection)
    try:
        for mart in marts:
            if mart in present and mart in held and sorted(present[mart].columns) != sorted(held[mart]):
                _alone(ctx, lambda c, m=mart: _create(c, m, held[m], [served], present[m]))  # type: ignore[misc]
    except LifehouseError as error:
        log.warning("the marts still show columns that the release no longer has: %s", error)


def detach(ctx: Context, slot: str) -> list[str]:
    """Make no view depend on the idle ``slot``: its tables can be dropped. Returns the views that changed.

    :raises LifehouseError: the slot is served; or readers held a view for a minute.
    """
    with ctx.warehouse.connect() as connection:
        row = connection.execute("select slot from control.published").fetchone()
        if row and row[0] == slot:
            raise LifehouseError(f"the slot {slot} is served; it cannot be built anew")
        marts = catalog.tables(connection, row[0]) if row else {}
        attached = {name: view for name, view in catalog.views(connection).items() if slot in view.slots}
    for name, view in sorted(attached.items()):
        if row and name in marts:
            _alone(ctx, lambda c, n=name, v=view: _create(c, n, marts[n], [row[0]], v))  # type: ignore[misc]
        else:
            _alone(ctx, lambda c, n=name: _drop(c, n))  # type: ignore[misc]
    return sorted(attached)


def _alone(ctx: Context, work: Callable[[psycopg.Connection[Any]], None]) -> None:
    """One view in one short transaction, once nobody's snapshot is older than the published row: to such a reader
    the served copy is still the other one."""

    def settled(connection: psycopg.Connection[Any]) -> None:
        if ctx.warehouse.as_role(None).value(_OLDER_SNAPSHOTS):  # a role sees no others' snapshots
            raise errors.LockNotAvailable("a reader's snapshot is older than the publication")
        work(connection)

    patiently(ctx, settled)


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
                with ctx.warehouse.as_role(None).connect() as connection:  # a role sees no others' sessions
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


def _serves(present: View | None, wanted: View) -> bool:
    """Whether a view need not change: it is as wanted, or reads both copies and shows all columns that are."""
    if present is None or present.slots != frozenset(SLOTS):
        return present == wanted
    return set(wanted.columns) <= set(present.columns) and (present.is_masked or not wanted.is_masked)


def _joined(connection: psycopg.Connection[Any], mart: str, served: Columns, new: Columns) -> Columns | None:
    """The columns of both copies; None where no view can show both: a type that does not widen, or a view over the
    mart's view that stands in the way of dropping it.
    """
    types = dict(new)
    joined = [(name, types.get(name, kind)) for name, kind in served]
    joined += [column for column in new if column[0] not in dict(served)]
    changed = [(kind, types[name]) for name, kind in served if types.get(name, kind) != kind]
    if not all(catalog.widens(connection, was, now) for was, now in changed):
        return None
    if sorted(served) != sorted(new) and catalog.has_dependents(connection, mart):
        return None
    return joined


def _companions(
    connection: psycopg.Connection[Any],
    served: str,
    copies: dict[str, dict[str, Columns]],
    marts: Sequence[str],
) -> list[str]:
    """The other slot, if it is whole and has every mart with the same columns."""
    whole = dict(connection.execute("select slot, fingerprint is not null from control.slots").fetchall())
    return [
        slot
        for slot in SLOTS
        if slot != served and whole[slot] and _have_same_columns(copies[slot], copies[served], marts)
    ]


def _view(columns: Columns, slots: Sequence[str]) -> View:
    return View(columns, frozenset(slots), bool(tags.of_mart([name for name, _ in columns])))


def _have_same_columns(one: dict[str, Columns], other: dict[str, Columns], marts: Sequence[str]) -> bool:
    return all(mart in one and sorted(one[mart]) == sorted(other.get(mart, [])) for mart in marts)


def _create(
    connection: psycopg.Connection[Any],
    name: str,
    columns: Columns,
    slots: Sequence[str],
    present: View | None,
    held: dict[str, Columns] | None = None,
) -> None:
    """Make or change a view in one round trip: what takes its lock holds it as shortly as can be.

    ``slots``: first the one whose comments the view takes over; ``held``: the columns that each has, if not all of them.
    """
    drop, grants = [], []
    if present is not None and columns[: len(present.columns)] != present.columns:
        grants = [sql.SQL(grant) for grant in catalog.grants(connection, name)]
        drop = [_DROP.format(sql.Identifier("marts", name))]
    personal = tags.of_mart([column for column, _ in columns])

    def listed(slot: str) -> sql.Composable:
        there = {column for column, _ in (held[slot] if held else columns)}
        return sql.SQL(", ").join(
            sql.SQL("null::{} as {}").format(sql.SQL(kind), sql.Identifier(column))
            if column not in there
            else viewed(column, personal[column], kind)
            if column in personal
            else sql.Identifier(column)
            for column, kind in columns
        )

    copy = sql.SQL(_ONE_COPY if len(slots) == 1 else _COPY_OF_TWO)
    branches = [
        copy.format(columns=listed(slot), table=sql.Identifier(slot, name), slot=sql.Literal(slot))
        for slot in sorted(slots)
    ]
    view, query = sql.Identifier("marts", name), sql.SQL(" union all ").join(branches)
    create = sql.SQL("create or replace view {} as {}").format(view, query)
    comments = catalog.comments(connection, slots[0], name)
    connection.execute(sql.SQL("; ").join([*drop, create, *grants, *comments]))


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(_DROP.format(sql.Identifier("marts", name)))
