"""Publication is one row; rollback writes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases import catalog, history, views
from lifehouse.releases.run import Run, building, hold
from lifehouse.releases.views import detach

NOTHING_PUBLISHED = "nothing is published yet"
__all__ = ["NOTHING_PUBLISHED", "detach", "previous", "publish", "rollback"]


def publish(
    ctx: Context,
    run_id: int,
    marts: Sequence[str] | None = None,
    *,
    by: str | None = None,
    reason: str | None = None,
) -> int:
    """Serve what run ``run_id`` built, in one transaction: killed before its end, nothing happened.

    :param marts: the tables of the slot that are served; by default all of ``dbt_project/models/marts``.
    :param by: the person who publishes a held run. :param reason: why, of one that waits for a required source.
    :returns: the release; called again, the same.
    :raises LifehouseError: the run is over, was overtaken or did not pass its gate; it waits for a source, and no
        person gives a reason; readers hold the views.
    """
    release_id = ctx.warehouse.value("select release_id from control.releases where run_id = %s", (run_id,))
    if release_id is not None:
        return int(release_id)
    served = project.mart_names() if marts is None else marts
    with hold(ctx, run_id) as (_, run):
        if run.gate_passed_at is None:
            raise LifehouseError(f"run {run_id} cannot be published: it has not passed the release gate")
        if run.held_why and not (by and reason):
            raise LifehouseError(
                f"run {run_id} is held back: {run.held_why}. Run the source, then the marts; or say why it is to be "
                "served as it is: `lifehouse publish --reason ...`"
            )
        views.attach(ctx, served, run.slot)
        told = {"by": by, "reason": reason}
        released = views.patiently(ctx, lambda connection: _publish(connection, run, served, told))
        views.settle(ctx, served)
        return released


def rollback(ctx: Context, by: str = "lifehouse", marts: Sequence[str] | None = None) -> int:
    """Serve the release before the published one again, withdraw the published one and pause the syncs.

    :returns: the release that is now served.
    :raises LifehouseError: the release before is no longer held by the idle slot, or a run is building in it.
    """
    served = project.mart_names() if marts is None else marts
    with building(ctx):
        with ctx.warehouse.connect() as connection:
            _, _, slot = _previous(connection)
        views.attach(ctx, served, slot)
        released = views.patiently(ctx, lambda connection: _rollback(connection, by, served))
        views.settle(ctx, served)
        return released


def _publish(
    connection: psycopg.Connection[Any], run: Run, marts: Sequence[str], told: dict[str, Any]
) -> int:
    release_id = _insert(connection, _RELEASE, {"run_id": run.run_id, **told})
    facts = {"release_id": release_id, "run_id": run.run_id, "slot": run.slot}
    connection.execute(_SLOT_READY, facts)
    history.record(connection, release_id, run.as_of, run.slot)
    connection.execute(_PUBLISHED, facts)
    connection.execute(_RUN_PUBLISHED, facts)
    views.align(connection, marts, run.slot)  # last, so that its locks are short
    return release_id


def previous(ctx: Context) -> tuple[int, int]:
    """The published release and the one before it, which :func:`rollback` would serve again.

    :raises LifehouseError: there is none, or it is no longer held.
    """
    with ctx.warehouse.connect() as connection:
        withdrawn, kept, _ = _previous(connection)
        return withdrawn, kept


def _previous(connection: psycopg.Connection[Any]) -> tuple[int, int, str]:
    row = connection.execute(_PREVIOUS).fetchone()
    if row is None:
        raise LifehouseError(f"{NOTHING_PUBLISHED}, so there is nothing to roll back")
    published, slot, state, held, before = row
    if before is None:
        raise LifehouseError(f"release {published} is the first that stands; there is none before it")
    if state == "building":
        raise LifehouseError(
            f"release {before} is no longer held: a run has begun to build over it; "
            "reject the load at fault and run again"
        )
    if held != before:
        raise LifehouseError(
            f"release {before} is no longer held; only one release before the published one is"
        )
    return published, before, slot


def _rollback(connection: psycopg.Connection[Any], by: str, marts: Sequence[str]) -> int:
    withdrawn, before, slot = _previous(connection)
    facts = {"withdrawn": withdrawn, "by": by, "release_id": before}
    connection.execute(_WITHDRAWN, facts)
    history.withdraw(connection, withdrawn)
    connection.execute(_SERVED_AGAIN, facts)
    # that release may come from a time with fewer marts
    held = catalog.tables(connection, slot)
    views.align(connection, [mart for mart in marts if mart in held], slot)
    return before


def _insert(connection: psycopg.Connection[Any], query: str, parameters: dict[str, Any]) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None  # noqa: S101  an insert returns its row
    return int(row[0])


_RELEASE = """
    insert into control.releases (run_id, slot, as_of, fingerprint, change_seq, published_by, publish_reason)
    select run_id, slot, as_of, fingerprint, change_seq, %(by)s, %(reason)s
    from control.runs where run_id = %(run_id)s
    returning release_id
"""

_SLOT_READY = """
    update control.slots
    set state = 'ready', release_id = %(release_id)s,
        fingerprint = runs.fingerprint, change_seq = runs.change_seq
    from control.runs
    where runs.run_id = %(run_id)s and slots.slot = runs.slot
"""

_PUBLISHED = """
    insert into control.published (slot, release_id, as_of, published_at)
    select slot, release_id, as_of, published_at from control.releases where release_id = %(release_id)s
    on conflict (only_row) do update set
        slot = excluded.slot, release_id = excluded.release_id, as_of = excluded.as_of,
        published_at = excluded.published_at, syncs_paused = false
"""

_RUN_PUBLISHED = """
    update control.runs set status = 'published', ended_at = clock_timestamp() where run_id = %(run_id)s
"""

# The published release, the idle slot with what it holds, and the release before that stands.
_PREVIOUS = """
    select published.release_id, slots.slot, slots.state, slots.release_id,
        (
            select max(releases.release_id) from control.releases
            where releases.release_id < published.release_id and releases.withdrawn_at is null
        )
    from control.published
    inner join control.slots on slots.slot <> published.slot
"""

_WITHDRAWN = """
    update control.releases set withdrawn_at = clock_timestamp(), withdrawn_by = %(by)s
    where release_id = %(withdrawn)s
"""

_SERVED_AGAIN = """
    update control.published
    set slot = releases.slot, release_id = releases.release_id, as_of = releases.as_of,
        published_at = releases.published_at, syncs_paused = true
    from control.releases where releases.release_id = %(release_id)s
"""
