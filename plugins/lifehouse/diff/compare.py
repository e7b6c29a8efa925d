"""The comparison: set-based, one pass a mart, in one snapshot of the warehouse. Counts only, unless ids are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from lifehouse.context import Context
from lifehouse.diff import queries
from lifehouse.diff.keys import keys
from lifehouse.diff.sides import Side
from lifehouse.releases import catalog

Connection = psycopg.Connection[Any]
IDS = 20


@dataclass(frozen=True)
class MartDiff:
    """Rows of a mart by its key; ``columns`` counts, for those on both sides, in which columns they differ."""

    mart: str
    before: int
    after: int
    added: int
    removed: int
    changed: int
    columns: dict[str, int]
    new_columns: list[str]
    lost_columns: list[str]

    @property
    def differs(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.new_columns or self.lost_columns)


@dataclass(frozen=True)
class History:
    """What was over before the earlier of the two instants and reads otherwise on the other side.

    Stays are counted by customer, lifecycle, stage and both ends; None where a side does not hold the mart.
    """

    stays: int | None = None
    stays_gone: int | None = None
    stays_new: int | None = None
    customers: int | None = None
    orders: int | None = None
    orders_changed: int | None = None
    orders_gone: int | None = None
    orders_new: int | None = None

    @property
    def differs(self) -> bool:
        return any((self.stays_gone, self.stays_new, self.orders_changed, self.orders_gone, self.orders_new))


@dataclass(frozen=True)
class StageMove:
    lifecycle: str
    from_stage: str | None
    to_stage: str | None
    customers: int


@dataclass(frozen=True)
class SegmentDiff:
    segment: str
    before: int
    after: int
    came: int
    left: int


@dataclass(frozen=True)
class RevenueDiff:
    currency: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Diff:
    """From ``a`` to ``b``. ``absent``: marts that only one side holds, with the side's name."""

    a: Side
    b: Side
    marts: list[MartDiff]
    history: History
    stages: list[StageMove]
    segments: list[SegmentDiff]
    revenue: list[RevenueDiff]
    absent: dict[str, str] = field(default_factory=dict)
    customers: dict[str, list[str]] | None = None

    @property
    def same_code(self) -> bool:
        return self.a.fingerprint == self.b.fingerprint

    @property
    def same_loads(self) -> bool:
        return self.a.change_seq == self.b.change_seq


def compare(ctx: Context, a: Side, b: Side, *, ids: bool = False) -> Diff:
    """All differences from ``a`` to ``b``.

    :param ids: also up to 20 customer ids for each kind of change in ``customers``.
    """
    with ctx.warehouse.connect() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        tables = (catalog.tables(connection, a.schema), catalog.tables(connection, b.schema))
        both = [mart for mart in sorted(keys()) if mart in tables[0] and mart in tables[1]]
        absent = {
            mart: (a if mart in tables[0] else b).name
            for mart in sorted(keys())
            if (mart in tables[0]) != (mart in tables[1])
        }
        pair = queries.Pair(a, b)
        return Diff(
            a,
            b,
            marts=[_mart(connection, pair, mart, tables[0][mart], tables[1][mart]) for mart in both],
            history=_history(connection, pair, both),
            stages=[StageMove(**row) for row in _rows(connection, pair.stages())]
            if "stage_history" in both
            else [],
            segments=[SegmentDiff(**row) for row in _rows(connection, pair.segments())]
            if "segment_members" in both
            else [],
            revenue=[RevenueDiff(**row) for row in _rows(connection, pair.revenue())]
            if "sales_totals" in both
            else [],
            absent=absent,
            customers=_customers(connection, pair, tables) if ids and "customers" in both else None,
        )


def _mart(
    connection: Connection, pair: queries.Pair, mart: str, left: catalog.Columns, right: catalog.Columns
) -> MartDiff:
    types, others = _types(pair.a, left), _types(pair.b, right)
    key = keys()[mart]
    shared = [column for column in types if column in others and column not in key]
    told = _rows(connection, pair.mart(mart, key, shared, {c for c in shared if types[c] != others[c]}))[0]
    return MartDiff(
        mart,
        before=told["before"],
        after=told["after"],
        added=told["added"],
        removed=told["removed"],
        changed=told["changed"],
        columns={column: told[f"c{n}"] for n, column in enumerate(shared) if told[f"c{n}"]},
        new_columns=[column for column in others if column not in types],
        lost_columns=[column for column in types if column not in others],
    )


def _history(connection: Connection, pair: queries.Pair, both: list[str]) -> History:
    facts: dict[str, int] = {}
    if "stage_history" in both:
        facts |= _rows(connection, pair.past_stays())[0]
    if "orders" in both:
        facts |= _rows(connection, pair.past_orders())[0]
    return History(**facts)


def _customers(connection: Connection, pair: queries.Pair, tables: Any) -> dict[str, list[str]]:
    types, others = _types(pair.a, tables[0]["customers"]), _types(pair.b, tables[1]["customers"])
    shared = [column for column in types if types[column] == others.get(column) and column != "customer_id"]
    found: dict[str, list[str]] = {"added": [], "removed": [], "changed": []}
    for row in _rows(connection, pair.customer_ids(shared, IDS)):
        found[row["kind"]].append(row["customer_id"])
    return found


def _types(side: Side, columns: catalog.Columns) -> dict[str, str]:
    return {name: kind for name, kind in columns if not (side.dated and name == "as_of")}


def _rows(connection: Connection, query: sql.Composed) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
