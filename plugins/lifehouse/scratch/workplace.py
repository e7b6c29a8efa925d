"""The workplace of a scratch build: staging, contract, core and control of its own, and the chain of models over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.build import contract, dbt
from lifehouse.build.place import Place
from lifehouse.build.stations import BEFORE_IDENTITY
from lifehouse.context import Context
from lifehouse.identity import resolve
from lifehouse.identity.links import Span
from lifehouse.scratch.knowledge import Knowledge

_SCHEMAS = ("staging", "contract", "core", "control", "seeds")
_CORE = (
    *("changed_keys", "customer_refs", "customer_ref_history"),
    *("customer_registry", "customer_merges", "customer_changes", "identifiers", "cut_identifiers"),
)
_AFTER_IDENTITY = ("tag:core", "tag:release", "tag:seed")


@dataclass(frozen=True)
class Turn:
    """A step of the workplace; ``change_seq`` counts the steps, ``run_id`` is later than that of any night."""

    run_id: int
    as_of: datetime
    change_seq: int


@dataclass(frozen=True)
class Workplace:
    """Builds in a place with a fixed knowledge. What it makes is a function of both and of the instant."""

    ctx: Context
    place: Place
    knowledge: Knowledge

    def lay_out(self, as_of: datetime, horizon: datetime | None) -> None:
        """Make the workplace empty, ready for a build about ``as_of`` that knows nothing after ``horizon``."""
        with self.ctx.warehouse.connect() as connection:
            connection.execute("set local client_min_messages = warning")
            for schema in (self.place.release, *(self.place.prefix + part for part in _SCHEMAS)):
                name = sql.Identifier(schema)
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
                connection.execute(sql.SQL("create schema {}").format(name))
            for table in _CORE:
                self._like(connection, "core", table)
            self._like(connection, "control", "run_customers")
            self._like(connection, "control", "current_run", ", horizon timestamptz")
            connection.execute(
                self._sql("create table {control}.accepted_loads (load_id bigint primary key)")
            )
            loads = self._sql("insert into {control}.accepted_loads select unnest(%s::bigint[])")
            connection.execute(loads, (self.knowledge.loads,))
            first = self._sql(
                "insert into {control}.current_run (run_id, as_of, slot, change_to, core_from, slot_from, horizon) "
                "values (0, %s, 'scratch', 0, 0, 0, %s)"
            )
            connection.execute(first, (as_of, horizon))

    def remember(self, run_id: int) -> None:
        """Set down who was who after run ``run_id``, as the nights kept it."""
        with self.ctx.warehouse.connect() as connection:
            connection.execute(self._sql(_REFS_OF_RUN), (run_id,))
            connection.execute(self._sql(_MERGES), {"run_id": run_id, "as_of": "infinity"})
            connection.execute(self._sql("analyze {core}.customer_refs"))

    def build_all(self) -> None:
        """Every model, once who is who stands."""
        dbt.build(self.ctx, BEFORE_IDENTITY, self.place, full=True)
        resolve.remember(self.ctx, self.place)
        dbt.build(self.ctx, _AFTER_IDENTITY, self.place, full=True, exclude=BEFORE_IDENTITY)

    def start(self, as_of: datetime, horizon: datetime | None, merges_until: int | None = None) -> None:
        """Everything from nothing, with identity worked out anew; customers are called as the nights called them."""
        self.lay_out(as_of, horizon)
        with self.ctx.warehouse.connect() as connection:
            connection.execute(self._sql(_MERGES), {"run_id": merges_until, "as_of": as_of})
        dbt.build(self.ctx, BEFORE_IDENTITY, self.place, full=True)
        self._resolve(as_of, 0, full=True)
        dbt.build(self.ctx, _AFTER_IDENTITY, self.place, full=True, exclude=BEFORE_IDENTITY)

    def step(self, as_of: datetime) -> None:
        """From the instant at which the workplace stands to a later one, for the customers to whom something happened."""
        with self.ctx.warehouse.connect() as connection:
            row = connection.execute(
                self._sql("select as_of, change_to from {control}.current_run")
            ).fetchone()
            assert row is not None  # noqa: S101  it was laid out
            since, number = row[0], row[1] + 1
            moved = self._sql("update {control}.current_run set as_of = %s, horizon = %s, change_to = %s")
            connection.execute(moved, (as_of, as_of, number))
            connection.execute(self._sql("truncate {core}.changed_keys"))
            for table, times in contract.happenings().items():
                for column in sorted(contract.NAMING.keys() & set(contract.columns(table))):
                    self._note(connection, table, column, times, since, number)
        self._resolve(as_of, number, full=False)
        with self.ctx.warehouse.connect() as connection:
            connection.execute(self._sql("delete from {control}.run_customers where scope = 'slot'"))
            connection.execute(
                self._sql(
                    "insert into {control}.run_customers (scope, customer_id) "
                    "select 'slot', customer_id from {control}.run_customers where scope = 'core'"
                )
            )
        dbt.build(self.ctx, ("tag:core", "tag:release"), self.place, exclude=BEFORE_IDENTITY)

    def _resolve(self, as_of: datetime, number: int, *, full: bool) -> None:
        known = self.knowledge.change_seq  # people's words are known from the first step on
        decisions = Span(0 if full else known, known)
        turn = self._turn(as_of, number)
        resolve.resolve(self.ctx, turn, max(number - 1, 0), self.place, decisions=decisions, full=full)

    def _turn(self, as_of: datetime, number: int) -> Turn:
        newest = self.ctx.warehouse.value("select coalesce(max(run_id), 0) from control.runs")
        return Turn(int(newest) + 1 + number, as_of, number)

    def _note(
        self,
        connection: psycopg.Connection[Any],
        table: str,
        column: str,
        times: Sequence[str],
        since: datetime,
        number: int,
    ) -> None:
        happened = sql.SQL(" or ").join(
            sql.SQL("{} > %(since)s").format(sql.Identifier(time)) for time in times
        )
        query = sql.SQL(
            "insert into {core}.changed_keys (change_seq, source, kind, key) "
            "select distinct %(number)s::bigint, source, %(kind)s, {column} from {table} "
            "where {column} is not null and ({happened})"
        )
        core, view = sql.Identifier(self.place.core), sql.Identifier(self.place.contract, table)
        connection.execute(
            query.format(core=core, table=view, column=sql.Identifier(column), happened=happened),
            {"since": since, "number": number, "kind": contract.NAMING[column]},
        )

    def _like(self, connection: psycopg.Connection[Any], part: str, table: str, more: str = "") -> None:
        query = "create table {} (like {} including all" + more + ")"
        made, model = sql.Identifier(self.place.prefix + part, table), sql.Identifier(part, table)
        connection.execute(sql.SQL(query).format(made, model))

    def _sql(self, text: str) -> sql.Composed:
        names = {"core": self.place.core, "control": self.place.control}
        return sql.SQL(text).format(**{key: sql.Identifier(name) for key, name in names.items()})


_REFS_OF_RUN = """
    insert into {core}.customer_refs (source, customer_key, customer_id)
    select source, customer_key, customer_id
    from (
        select distinct on (source, customer_key) source, customer_key, customer_id
        from core.customer_ref_history where run_id <= %s
        order by source, customer_key, run_id desc
    ) as newest
    where customer_id is not null
"""

_MERGES = """
    insert into {core}.customer_merges
    select * from core.customer_merges
    where as_of <= %(as_of)s and (%(run_id)s::bigint is null or run_id <= %(run_id)s)
"""
