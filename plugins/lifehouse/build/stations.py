"""The two building stations: core (staging, identity, timeline) and release (the run's slot)."""

from __future__ import annotations

from typing import Any

from lifehouse.build import dbt
from lifehouse.build.place import nightly
from lifehouse.context import Context
from lifehouse.identity.links import Span
from lifehouse.identity.resolve import resolve
from lifehouse.ingest import raw
from lifehouse.ingest.declaration import load_source
from lifehouse.releases.run import Run
from lifehouse.warehouse.rights import INGEST

#: Views on the input contract that identity reads.
_VIEWS = ("record_cookies", "profile_identifiers", "record_refs")
#: Identity needs these; everything else in core needs identity.
BEFORE_IDENTITY = ("tag:staging", *_VIEWS)
#: Views say the same until the code changes; then everything is built.
UNCHANGING = ("path:models/staging/contract", *_VIEWS)

#: Models that hold what each customer's own history gives: where nobody changed there is nothing to do for them.
PER_CUSTOMER = ("tag:per_customer",)


def build_core(ctx: Context, run: Run) -> dict[str, Any]:
    """Bring staging and core up to the run's loads. Nothing is done when nothing was decided since the last
    time, on a load or on who is who.

    :returns: counts of the identity step and seconds of each model.
    """
    state = ctx.warehouse.rows("select fingerprint, change_seq from control.core_state")[0]
    full = run.full_refresh or state["fingerprint"] != run.fingerprint
    if not full and not _decisions_between(ctx, state["change_seq"], run.change_seq):
        ctx.warehouse.execute("truncate control.run_customers")
        return {"changed": 0, "models": {}}
    if full:
        with (
            ctx.warehouse.connect() as connection
        ):  # killed on the way, the next run starts from nothing again
            connection.execute("update control.core_state set fingerprint = null, change_seq = 0")
            connection.execute("truncate core.changed_keys")
    _make_room(ctx)
    place = nightly(run.building_slot)
    before = dbt.build(ctx, BEFORE_IDENTITY, place, full=full, exclude=() if full else UNCHANGING)
    counts: dict[str, Any] = dict(
        resolve(
            ctx,
            run,
            state["change_seq"],
            place,
            decisions=Span(0 if full else state["change_seq"], run.change_seq),
            full=full,
        )
    )
    after = dbt.build(ctx, ["tag:core"], place, full=full, exclude=BEFORE_IDENTITY)
    with ctx.warehouse.connect() as connection:
        connection.execute(
            "update control.core_state set fingerprint = %s, change_seq = %s",
            (run.fingerprint, run.change_seq),
        )
        connection.execute("delete from core.changed_keys where change_seq <= %s", (run.change_seq,))
    return {**counts, "models": _seconds([*before, *after])}


def build_release(ctx: Context, run: Run) -> dict[str, Any]:
    """Bring the run's slot up to date: changed customers replaced, population and as-of models refilled.

    :returns: the number of customers replaced, the rows written and the seconds of each model.
    """
    slot = ctx.warehouse.rows(
        "select fingerprint, change_seq from control.slots where slot = %s", (run.slot,)
    )[0]
    full = slot["fingerprint"] != run.fingerprint
    with ctx.warehouse.connect() as connection:
        connection.execute("delete from control.run_customers where scope = 'slot'")
        changed = connection.execute(
            """
            insert into control.run_customers (scope, customer_id)
            select 'slot', customer_id from core.customer_registry where %(all)s
            union
            select 'slot', customer_id from core.customer_changes where change_seq > %(since)s
            """,
            {"all": full or run.full_refresh, "since": slot["change_seq"]},
        ).rowcount
        connection.execute("analyze control.run_customers")
    idle = () if changed or full else PER_CUSTOMER
    results = dbt.build(ctx, ["tag:release", "tag:seed"], nightly(run.building_slot), full=full, exclude=idle)
    rows = sum(result.rows or 0 for result in results)
    return {"changed": changed, "rows": rows, "models": _seconds(results)}


def _make_room(ctx: Context) -> None:
    """Raw tables for what never delivered anything so far: it contributes nothing, and no model misses it."""
    query = "select schemaname, tablename from pg_tables where schemaname like 'raw\\_%'"
    there = {(row["schemaname"], row["tablename"]) for row in ctx.warehouse.rows(query)}
    missing = [
        raw.Place(source, name)
        for source in map(load_source, ctx.project.source_files)
        for name in source.tables
        if (source.raw_schema, name) not in there
    ]
    if missing:
        with ctx.acting_as(INGEST).warehouse.connect() as connection:
            for place in missing:
                raw.prepare(connection, place)


def _decisions_between(ctx: Context, after: int, until: int) -> bool:
    query = """
        select exists (select from control.loads where change_seq > %(after)s and change_seq <= %(until)s)
            or exists (
                select from control.identity_decisions where change_seq > %(after)s and change_seq <= %(until)s
            )
    """
    return bool(ctx.warehouse.value(query, {"after": after, "until": until}))


def _seconds(results: list[dbt.ModelResult]) -> dict[str, float]:
    return {result.name: round(result.seconds, 2) for result in results}
