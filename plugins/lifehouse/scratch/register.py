"""The register of scratch builds, ``control.scratch``: what each is, and what it knows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from lifehouse.build.place import scratch
from lifehouse.context import Context
from lifehouse.errors import LifehouseError

_HELD = 7_405_070  # advisory lock, per session and name: one process builds a scratch at a time
#: Beside ``scratch_<name>`` itself: what a build needs and leaves.
WORK = ("work", "staging", "contract", "core", "control", "seeds")


@dataclass(frozen=True)
class Scratch:
    """A row of ``control.scratch``; ``as_ofs`` are the instants that it has answers for."""

    name: str
    kind: str
    run_id: int | None
    as_of: datetime | None
    fingerprint: str
    change_seq: int
    loads: list[int]
    state: str
    reached: datetime | None
    marts: list[str]
    made_at: datetime
    ready_at: datetime | None
    as_ofs: list[datetime]

    @property
    def schema(self) -> str:
        return scratch(self.name).target


def checked(name: str) -> str:
    """The name, if it can be one.

    :raises LifehouseError: it cannot.
    """
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) or len(name) > 40:
        raise LifehouseError(
            f"{name!r} cannot name a scratch build: at most 40 lower-case letters, digits and single underscores"
        )
    return name


def found(ctx: Context, name: str | None = None) -> list[Scratch]:
    """The scratch builds by name, or the one called ``name``."""
    rows = ctx.warehouse.rows(_ROWS, {"name": name})
    return [Scratch(**row) for row in rows]


def one(ctx: Context, name: str) -> Scratch | None:
    """The scratch build called ``name``."""
    return next(iter(found(ctx, name)), None)


@contextmanager
def held(ctx: Context, name: str, patience: float = 5.0) -> Iterator[None]:
    """The right to build ``name``.

    :raises LifehouseError: after ``patience`` seconds another process still has it.
    """
    with ctx.warehouse.connect(autocommit=True) as connection:
        deadline = time.monotonic() + patience
        query = "select pg_try_advisory_lock(%s, hashtext(%s))"
        while not (row := connection.execute(query, (_HELD, name)).fetchone()) or not row[0]:
            if time.monotonic() > deadline:
                raise LifehouseError(f"another process is building the scratch {name!r}; wait for its end")
            time.sleep(0.2)
        yield


def clear(ctx: Context, name: str) -> None:
    """Drop what a build needs and leaves; what it was made for stays."""
    _drop(ctx, [f"{scratch(name).target}__{part}" for part in WORK])


def drop(ctx: Context, name: str) -> None:
    """Forget a scratch build and drop its schemas.

    :raises LifehouseError: there is none of that name, or it is being built.
    """
    if one(ctx, checked(name)) is None:
        names = ", ".join(known.name for known in found(ctx)) or "there is none"
        raise LifehouseError(f"there is no scratch {name!r}; known: {names}")
    with held(ctx, name):
        clear(ctx, name)
        _drop(ctx, [scratch(name).target])
        ctx.warehouse.execute("delete from control.scratch where name = %s", (name,))


def _drop(ctx: Context, schemas: list[str]) -> None:
    for schema in schemas:
        with ctx.warehouse.connect() as connection:
            connection.execute("set local client_min_messages = warning")
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def update(ctx: Context, name: str, **values: Any) -> None:
    """Set columns of a scratch build's row."""
    listed = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column)) for column in values
    )
    query = sql.SQL("update control.scratch set {} where name = {}").format(
        listed, sql.Placeholder("scratch")
    )
    with ctx.warehouse.connect() as connection:
        connection.execute(query, {**values, "scratch": name})


_ROWS = """
    select scratch.name, scratch.kind, scratch.run_id, scratch.as_of, scratch.fingerprint, scratch.change_seq,
        scratch.loads, case when there then scratch.state else 'building' end as state,
        case when there then scratch.reached end as reached, scratch.marts, scratch.made_at, scratch.ready_at,
        array(
            select made.as_of from control.scratch_as_ofs as made
            where there and made.name = scratch.name order by made.as_of
        ) as as_ofs
    from control.scratch
    cross join lateral (select to_regnamespace('scratch_' || scratch.name) is not null as there) as schemas
    where %(name)s::text is null or scratch.name = %(name)s
    order by scratch.made_at, scratch.name
"""
