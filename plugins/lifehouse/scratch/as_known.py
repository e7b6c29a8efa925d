"""``as-known``: what was believed on a night, rebuilt from that night's run record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lifehouse.build import project
from lifehouse.build.place import scratch
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.run import Run
from lifehouse.scratch import register
from lifehouse.scratch.knowledge import Knowledge
from lifehouse.scratch.register import Scratch
from lifehouse.scratch.workplace import Workplace


@dataclass(frozen=True)
class AsKnown:
    """``same_code``: today's code is that of the night. ``same_ids``: who was who is on record from that night on."""

    scratch: Scratch
    run: Run
    same_code: bool
    same_ids: bool
    rebuilt: bool


def as_known(
    ctx: Context,
    run_id: int,
    name: str | None = None,
    *,
    patience: float = 5.0,
    say: Callable[[str], None] = lambda _: None,
) -> AsKnown:
    """Build all marts as they were at run ``run_id`` into the schema ``scratch_<name>``, ``run_<number>`` by default.

    It reads the loads that were accepted then, those rejected since too, and calls customers as they were called
    then; with today's code. Called again, what is there is kept unless the code has changed.

    :raises LifehouseError: no such run, its loads are no longer in raw, or the name is another build's.
    """
    name = register.checked(name or f"run_{run_id}")
    with ctx.warehouse.connect() as connection:
        run = Run.read(connection, run_id)
    knowledge = Knowledge.of_run(ctx, run)
    same_code = knowledge.fingerprint == run.fingerprint
    with register.held(ctx, name, patience):
        same_ids = bool(ctx.warehouse.value(_ON_RECORD, (run_id,)))
        known = register.one(ctx, name)
        if known and known.run_id != run_id:
            raise LifehouseError(
                f"the scratch {name!r} is another one ({known.kind}); choose a name by --into, "
                f"or `lifehouse scratch drop {name}`"
            )
        if known and known.state == "ready" and known.fingerprint == knowledge.fingerprint:
            return AsKnown(known, run, same_code, same_ids, rebuilt=False)
        marts = project.mart_names()
        facts = {
            **{"name": name, "run_id": run_id, "as_of": run.as_of, "fingerprint": knowledge.fingerprint},
            **{"change_seq": knowledge.change_seq, "loads": knowledge.loads, "marts": marts},
        }
        ctx.warehouse.execute(_REGISTER, facts)
        say(f"build scratch_{name}")
        _build(Workplace(ctx, scratch(name), knowledge), run, same_ids)
        register.clear(ctx, name)
        ctx.warehouse.execute(_READY, {"name": name, "as_of": run.as_of})
        made = register.one(ctx, name)
        assert made is not None  # noqa: S101  it was just written
        return AsKnown(made, run, same_code, same_ids, rebuilt=True)


def _build(work: Workplace, run: Run, same_ids: bool) -> None:
    if same_ids:
        work.lay_out(run.as_of, None)
        work.remember(run.run_id)
        work.build_all()
    else:
        work.start(run.as_of, None, merges_until=run.run_id)


_ON_RECORD = "select exists (select from core.customer_ref_history where run_id <= %s)"

_REGISTER = """
    insert into control.scratch (name, kind, run_id, as_of, fingerprint, change_seq, loads, marts)
    values (%(name)s, 'as known', %(run_id)s, %(as_of)s, %(fingerprint)s, %(change_seq)s, %(loads)s, %(marts)s)
    on conflict (name) do update set
        fingerprint = excluded.fingerprint, marts = excluded.marts, state = 'building', ready_at = null
"""

_READY = """
    with made as (
        insert into control.scratch_as_ofs (name, as_of, fingerprint, change_seq)
        select name, as_of, fingerprint, change_seq from control.scratch where name = %(name)s
        on conflict (name, as_of) do update set
            fingerprint = excluded.fingerprint, made_at = clock_timestamp()
    )
    update control.scratch set state = 'ready', ready_at = clock_timestamp() where name = %(name)s
"""
