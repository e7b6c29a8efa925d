"""``backfill``: what the marts would say at past instants, with what is known today of the time until then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifehouse.build import project
from lifehouse.build.place import scratch
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.scratch import register, shelf
from lifehouse.scratch.knowledge import Knowledge
from lifehouse.scratch.register import Scratch
from lifehouse.scratch.workplace import Workplace


@dataclass
class Backfill:
    """The instants that were made now, and those that were there already."""

    scratch: str
    made: list[datetime] = field(default_factory=list)
    kept: list[datetime] = field(default_factory=list)

    @property
    def schema(self) -> str:
        return scratch(self.scratch).target


def backfill(
    ctx: Context,
    name: str,
    as_ofs: Sequence[datetime],
    marts: Sequence[str] | None = None,
    *,
    keep_workplace: bool = False,
    patience: float = 5.0,
    say: Callable[[str], None] = lambda _: None,
) -> Backfill:
    """Fill ``scratch_<name>`` with each mart as it would read at each instant; nothing else is touched.

    An answer knows what happened until its instant, and that with every correction made since. The first instant is
    built whole, each later one from the one before, for the customers to whom something happened between. Killed and
    called again, it goes on with the loads it began with; an instant that stands is not made again while loads and
    code are the same.

    :param marts: by default those that speak about an instant or a whole (``project.mart_names(dated=True)``).
    :param keep_workplace: leave what the next call would build on.
    :raises LifehouseError: the name is another build's, a mart is unknown, no load is accepted.
    """
    wanted = _marts(marts)
    register.checked(name)
    if any(as_of.tzinfo is None for as_of in as_ofs):
        raise LifehouseError("the instants of a backfill need a time zone")
    with register.held(ctx, name, patience):
        known = register.one(ctx, name)
        if known and known.kind != "backfill":
            raise LifehouseError(
                f"the scratch {name!r} is what was known at run {known.run_id}; choose another name"
            )
        knowledge, reached = _knowledge(ctx, known, wanted)
        _register(ctx, name, knowledge, wanted, reached)
        done = Backfill(name)
        done.kept = _standing(ctx, name, knowledge, as_ofs)
        work = Workplace(ctx, scratch(name, work=True), knowledge)
        for as_of in sorted(set(as_ofs) - set(done.kept)):
            say(f"as of {as_of:%Y-%m-%d %H:%M} UTC")
            register.update(ctx, name, reached=None)
            if reached is not None and as_of > reached:
                work.step(as_of)
            else:
                work.start(as_of, as_of)
            shelf.keep(ctx, name, work.place, wanted, as_of, knowledge)
            register.update(ctx, name, reached=as_of)
            reached = as_of
            done.made.append(as_of)
        if not keep_workplace:
            register.update(ctx, name, reached=None)
            register.clear(ctx, name)
        ctx.warehouse.execute(
            "update control.scratch set state = 'ready', ready_at = clock_timestamp() where name = %s",
            (name,),
        )
        return done


def _marts(asked: Sequence[str] | None) -> list[str]:
    if asked is None:
        return project.mart_names(dated=True)
    unknown = sorted(set(asked) - set(project.mart_names()))
    if unknown:
        raise LifehouseError(
            f"no such mart: {', '.join(unknown)}; there are {', '.join(project.mart_names())}"
        )
    return sorted(set(asked))


def _knowledge(ctx: Context, known: Scratch | None, marts: list[str]) -> tuple[Knowledge, datetime | None]:
    """What the backfill may know, and where its workplace stands. One that was cut short goes on with what it knew."""
    today = Knowledge.today(ctx)
    if known is None or known.fingerprint != today.fingerprint:
        return today, None
    if known.state == "building" and known.marts == marts:
        return Knowledge(known.fingerprint, known.change_seq, known.loads), known.reached
    return today, known.reached if known.change_seq == today.change_seq else None


def _register(
    ctx: Context, name: str, knowledge: Knowledge, marts: list[str], reached: datetime | None
) -> None:
    with ctx.warehouse.connect() as connection:
        connection.execute(
            "delete from control.scratch_as_ofs using control.scratch "
            "where scratch.name = %(name)s and scratch_as_ofs.name = %(name)s and not scratch.marts @> %(marts)s",
            {"name": name, "marts": marts},
        )
        connection.execute(
            _REGISTER,
            {
                **{"name": name, "fingerprint": knowledge.fingerprint, "change_seq": knowledge.change_seq},
                **{"loads": knowledge.loads, "marts": marts, "reached": reached},
            },
        )


def _standing(ctx: Context, name: str, known: Knowledge, as_ofs: Sequence[datetime]) -> list[datetime]:
    rows = ctx.warehouse.rows(_STANDING, (name, known.fingerprint, known.change_seq, list(as_ofs)))
    return [row["as_of"] for row in rows]


_REGISTER = """
    insert into control.scratch (name, kind, fingerprint, change_seq, loads, marts, reached)
    values (%(name)s, 'backfill', %(fingerprint)s, %(change_seq)s, %(loads)s, %(marts)s, %(reached)s)
    on conflict (name) do update set
        fingerprint = excluded.fingerprint, change_seq = excluded.change_seq, loads = excluded.loads,
        marts = excluded.marts, reached = excluded.reached, state = 'building', ready_at = null
"""

_STANDING = """
    select as_of from control.scratch_as_ofs
    where name = %s and fingerprint = %s and change_seq = %s and as_of = any(%s)
        and to_regnamespace('scratch_' || name) is not null
    order by as_of
"""
