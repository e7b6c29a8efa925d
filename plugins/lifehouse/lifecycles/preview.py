"""What a lifecycle's file would change if it were merged: today's stages under it, beside the published ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.lifecycles.compile import query
from lifehouse.lifecycles.declaration import Lifecycle


@dataclass(frozen=True)
class StagePreview:
    """One stage: customers in it at the as-of instant and moves into it in the 30 days before, as published and then."""

    stage: str
    customers: int
    customers_then: int
    entered: int
    entered_then: int


@dataclass(frozen=True)
class Preview:
    """A lifecycle under a file at the published instant; ``moved`` counts customers by (stage, stage then)."""

    lifecycle: str
    as_of: datetime
    is_new: bool
    stages: list[StagePreview]
    moved: dict[tuple[str, str], int]

    @property
    def customers_moved(self) -> int:
        """Customers who would stand elsewhere today."""
        return sum(self.moved.values())


def preview(ctx: Context, declared: Lifecycle) -> Preview:
    """Nothing is kept: the intervals are computed from core's timeline into a temporary table.

    :raises LifehouseError: nothing is published.
    """
    as_of = ctx.warehouse.value("select as_of from control.published")
    if as_of is None:
        raise LifehouseError("nothing is published yet; `lifehouse run` builds the first release")
    found = sql.SQL(query(declared, "core.customer_events"))
    given = {"lifecycle": declared.lifecycle, "as_of": as_of}
    with ctx.warehouse.connect() as connection:
        connection.execute(sql.SQL("create temp table stays_then on commit drop as {}").format(found))
        connection.execute(_STAYS, given)
        is_new = not connection.execute("select exists (select from stays_now)").fetchone()[0]  # type: ignore[index]
        counted = {row[0]: row[1:] for row in connection.execute(_STAGES, given)}
        moved = {(row[0], row[1]): row[2] for row in connection.execute(_MOVED, given)}
    names = dict.fromkeys([*declared.order, *sorted(counted)])
    stages = [StagePreview(name, *counted.get(name, (0, 0, 0, 0))) for name in names]
    return Preview(declared.lifecycle, as_of, is_new, stages, moved)


_STAYS = """
    create temp table stays_now on commit drop as
    select customer_id, stage, entered_at, exited_at from marts.stage_history where lifecycle = %(lifecycle)s
"""
_STAGES = """
    with stays as (
        select stage, entered_at, exited_at, false as is_then from stays_now
        union all
        select stage, entered_at, exited_at, true from stays_then
    ),

    marked as (
        select
            *,
            exited_at is null or exited_at > %(as_of)s as is_present,
            entered_at > %(as_of)s::timestamptz - interval '720 hours' as is_recent
        from stays
        where entered_at <= %(as_of)s
    )

    select
        stage,
        count(*) filter (where is_present and not is_then),
        count(*) filter (where is_present and is_then),
        count(*) filter (where is_recent and not is_then),
        count(*) filter (where is_recent and is_then)
    from marked
    group by stage
"""
_MOVED = """
    select stays_now.stage, stays_then.stage, count(*)
    from stays_now
    inner join stays_then using (customer_id)
    where
        stays_now.stage <> stays_then.stage
        and stays_now.entered_at <= %(as_of)s and (stays_now.exited_at is null or stays_now.exited_at > %(as_of)s)
        and stays_then.entered_at <= %(as_of)s and (stays_then.exited_at is null or stays_then.exited_at > %(as_of)s)
    group by stays_now.stage, stays_then.stage
    order by count(*) desc, stays_now.stage, stays_then.stage
"""


def lines(found: Preview) -> list[str]:
    """The preview as text: a table of the stages, then who would move."""
    width = max(len(stage.stage) for stage in found.stages)
    heads = ("now", "then", "change", "entered in 30 days", "then")
    told = [f"{'stage':<{width}}  {heads[0]:>9}  {heads[1]:>9}  {heads[2]:>9}  {heads[3]:>18}  {heads[4]:>9}"]
    told += [
        f"{stage.stage:<{width}}  {stage.customers:>9,}  {stage.customers_then:>9,}  "
        f"{stage.customers_then - stage.customers:>+9,}  {stage.entered:>18,}  {stage.entered_then:>9,}"
        for stage in found.stages
    ]
    if found.is_new:
        return [*told, "", "The published release has no such lifecycle yet."]
    if not found.moved:
        return [*told, "", "Nobody would stand in another stage today."]
    moves = ", ".join(f"{count:,} from {old} to {new}" for (old, new), count in found.moved.items())
    many = f"{found.customers_moved:,} customer{'' if found.customers_moved == 1 else 's'}"
    return [*told, "", f"{many} would stand elsewhere today: {moves}."]
