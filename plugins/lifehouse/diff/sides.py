"""The two sides of a diff: a release, a run, the candidate or a scratch build, and the schema that holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from lifehouse import stations
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.held import candidate
from lifehouse.releases.publish import NOTHING_PUBLISHED
from lifehouse.scratch import register


@dataclass(frozen=True)
class Side:
    """``dated``: the schema holds several instants, told apart by the column ``as_of``. ``note``: how it came about."""

    name: str
    schema: str
    as_of: datetime
    fingerprint: str
    change_seq: int
    dated: bool = False
    note: str | None = None

    def rows(self, mart: str, columns: sql.Composable) -> sql.Composed:
        """A query for columns of a mart's rows."""
        query = sql.SQL("select {} from {}").format(columns, sql.Identifier(self.schema, mart))
        if self.dated:
            query += sql.SQL(" where as_of = {}").format(sql.Literal(self.as_of))
        return query


def resolve(ctx: Context, word: str, say: Callable[[str], None] = lambda _: None) -> Side:
    """What ``word`` names: ``published``, ``previous``, ``candidate``, a release's number, ``run:<number>``, or a scratch
    build, ``<name>`` or ``<name>@<instant>``. A release that no copy holds any more is rebuilt as it was known.

    :raises LifehouseError: nothing is called so, or raw no longer holds what it was made of.
    """
    run = re.fullmatch(r"run[ :_-]?(\d+)", word)
    if word == "published":
        return _release(ctx, _number(ctx, _PUBLISHED, NOTHING_PUBLISHED), "the published release", say)
    if word == "previous":
        return _release(
            ctx, _number(ctx, _PREVIOUS, "no release stands before the published one"), "release", say
        )
    if word == "candidate":
        return _run(ctx, candidate(ctx), say)
    if word.isdigit():
        return _release(ctx, int(word), "release", say)
    if run:
        return _run(ctx, int(run[1]), say)
    return _scratch(ctx, word)


def _number(ctx: Context, query: str, otherwise: str) -> int:
    found = ctx.warehouse.value(query)
    if found is None:
        raise LifehouseError(otherwise)
    return int(found)


def _release(ctx: Context, number: int, called: str, say: Callable[[str], None]) -> Side:
    rows = ctx.warehouse.rows(_RELEASE, (number,))
    if not rows:
        raise LifehouseError(
            f"there is no release {number}; see `lifehouse releases` (a run is written run:{number})"
        )
    return _built(ctx, f"{called} {number}", rows[0], say)


def _run(ctx: Context, number: int, say: Callable[[str], None]) -> Side:
    rows = ctx.warehouse.rows(_RUN, (number,))
    if not rows:
        raise LifehouseError(f"there is no run {number}")
    row = rows[0]
    return _built(ctx, f"the candidate, run {number}" if row["is_candidate"] else f"run {number}", row, say)


def _built(ctx: Context, name: str, row: dict[str, Any], say: Callable[[str], None]) -> Side:
    if row["held_in"]:
        return Side(name, row["held_in"], row["as_of"], row["fingerprint"], row["change_seq"])
    say(f"{name} is no longer held: it is rebuilt as it was known")
    known = stations.as_known(ctx, row["run_id"], say=say)
    note = f"rebuilt from run {row['run_id']} in {known.scratch.schema}, with " + (
        "the code of that night" if known.same_code else "today's code, which is not that of the night"
    )
    return Side(
        name, known.scratch.schema, row["as_of"], known.scratch.fingerprint, row["change_seq"], note=note
    )


def _scratch(ctx: Context, word: str) -> Side:
    name, _, instant = word.partition("@")
    found = register.one(ctx, name)
    if found is None:
        known = ", ".join(scratch.name for scratch in register.found(ctx)) or "none"
        raise LifehouseError(
            f"{word!r} is no release, run:<number>, published, previous, candidate or scratch build (known: {known})"
        )
    if found.kind == "as known":
        if found.state != "ready" or found.as_of is None:
            raise LifehouseError(
                f"the scratch {name!r} is not complete: `lifehouse as-known {found.run_id}` again"
            )
        note = f"what was known at run {found.run_id}"
        return Side(
            f"scratch {name}", found.schema, found.as_of, found.fingerprint, found.change_seq, note=note
        )
    as_of = _pick(found, instant)
    return Side(f"scratch {name}", found.schema, as_of, found.fingerprint, found.change_seq, dated=True)


def _pick(found: register.Scratch, instant: str) -> datetime:
    offered = [
        as_of for as_of in found.as_ofs if f"{as_of:%Y-%m-%dT%H:%M}".startswith(instant.replace(" ", "T"))
    ]
    if len(offered) == 1:
        return offered[0]
    there = ", ".join(f"{as_of:%Y-%m-%dT%H:%M}" for as_of in found.as_ofs[:5]) or "none yet"
    raise LifehouseError(
        f"the scratch {found.name!r} has {len(offered)} instants {f'like {instant}' if instant else 'in all'}; "
        f"name one as {found.name}@<instant, UTC> (it has {there}{', ...' if len(found.as_ofs) > 5 else ''})"
    )


_PUBLISHED = "select release_id from control.published"

_PREVIOUS = """
    select max(releases.release_id)
    from control.releases, control.published
    where releases.release_id < published.release_id and releases.withdrawn_at is null
"""

_RELEASE = """
    select releases.run_id, releases.as_of, releases.fingerprint, releases.change_seq,
        (
            select slots.slot from control.slots
            where slots.release_id = releases.release_id and slots.state = 'ready'
        ) as held_in
    from control.releases where releases.release_id = %s
"""

_RUN = """
    select runs.run_id, runs.as_of, runs.fingerprint, runs.change_seq,
        candidate.run_id is not null as is_candidate,
        case
            when candidate.run_id is not null then runs.slot
            else (
                select slots.slot
                from control.slots inner join control.releases using (release_id)
                where releases.run_id = runs.run_id and slots.state = 'ready'
            )
        end as held_in
    from control.runs
    left join (
        select current_run.run_id
        from control.current_run inner join control.runs using (run_id)
        where runs.status = 'running' and runs.gate_passed_at is not null
    ) as candidate using (run_id)
    where runs.run_id = %s
"""
