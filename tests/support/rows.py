"""Every row that is served, with each customer named by the records that make them up: two warehouses held against each other."""

from __future__ import annotations

from collections import Counter
from typing import Any

from psycopg import sql

from lifehouse.context import Context

_NAMES = """
select customer_id, string_agg(source || ':' || customer_key, '+' order by source, customer_key)
from core.customer_refs group by customer_id
"""
_COLUMNS = """
select table_name, array_agg(column_name::text order by ordinal_position)
from information_schema.columns
where table_schema = (select slot from control.published)
group by table_name order by table_name
"""

Rows = Counter[tuple[tuple[str, Any], ...]]


def served(ctx: Context) -> dict[str, Rows]:
    """By mart, its rows and how often each occurs; columns by their names, so that their order does not count."""
    with ctx.warehouse.connect() as connection:
        names = dict(connection.execute(_NAMES).fetchall())
        (slot,) = connection.execute("select slot from control.published").fetchone() or ("",)
        found: dict[str, Rows] = {}
        for table, columns in connection.execute(_COLUMNS).fetchall():
            rows = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(slot, table)))
            order = sorted(range(len(columns)), key=columns.__getitem__)
            found[table] = Counter(
                tuple(
                    (
                        columns[place],
                        names.get(row[place], row[place])
                        if columns[place].endswith("customer_id")
                        else row[place],
                    )
                    for place in order
                )
                for row in rows
            )
    return found


def difference(one: dict[str, Rows], other: dict[str, Rows]) -> dict[str, str]:
    """By mart that differs, how many rows each has alone and the first of them."""
    told = {}
    for table in sorted(one.keys() | other.keys()):
        here, there = one.get(table, Counter()), other.get(table, Counter())
        if here != there:
            left, right = here - there, there - here
            first = [dict(next(iter(side))) for side in (left, right) if side]
            told[table] = f"{left.total()} and {right.total()} rows alone, such as {first}"
    return told
