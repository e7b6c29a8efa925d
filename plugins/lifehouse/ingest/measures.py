"""What the profile of a load measures of its columns: pairs of SQL aggregates whose quotient is the value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from lifehouse.ingest.raw import Place
from lifehouse.ingest.table import NUMBERS, TIMES, Column

_MOST_VALUES = 12  # of an allowed list that are counted one by one

#: What identity can match on: one plain address; seven digits, however they are set apart.
_SHAPES = {
    "email": r"""^\s*[^\s@:;,<>"]+@[^\s@:;,<>"]+\.[^\s@:;,<>"]+\s*$""",
    "phone": "([0-9][^0-9]*){7}",
}


@dataclass(frozen=True)
class Measure:
    """``total`` and ``n`` are SQL aggregates over ``typed``; ``total / n`` is the value."""

    column: str
    name: str
    total: sql.Composable
    n: sql.Composable


def of_table(place: Place, clock: str | None) -> Iterator[Measure]:
    """What is summed up of a load's rows: how many are there more than once, and what each column holds.

    :param clock: the column that tells a record's day, if there is one.
    """
    content: sql.Composable = sql.SQL("typed._hash")
    if place.table.key:  # the same again under other keys
        rest = [sql.Identifier("typed", name) for name in place.table.columns if name not in place.table.key]
        content = sql.SQL("hashtextextended(row({})::text, 0)").format(sql.SQL(", ").join(rest))
    distinct = sql.SQL("count(*) - count(distinct {})").format(content)
    yield Measure("", "repeated", distinct, sql.SQL("count(*)"))
    for name, column in place.table.columns.items():
        if column.history:
            yield from _of_column(place, name, column, clock)


def _of_column(place: Place, name: str, column: Column, clock: str | None) -> Iterator[Measure]:
    field, kind = sql.Identifier("typed", name), column.base_type
    is_there = sql.SQL("count({})").format(field)

    def share(measure: str, condition: str, of: sql.Composable = is_there, **names: Any) -> Measure:
        tested = sql.SQL(condition).format(field=field, **names)
        return Measure(name, measure, sql.SQL("count(*) filter (where {})").format(tested), of)

    if not column.required and name not in place.table.key:
        yield share("null", "{field} is null", sql.SQL("count(*)"))
    if column.allowed is not None:
        for value in column.allowed[:_MOST_VALUES] if len(column.allowed) > 1 else ():
            yield share(f"is {value}", "{field}::text = {value}", value=sql.Literal(value))
    elif kind in NUMBERS:
        number = _float(name)
        if name not in place.table.key:
            yield Measure(name, "mean", sql.SQL("sum(abs({}))").format(number), is_there)
            yield Measure(name, "square", sql.SQL("sum({0} * {0})").format(number), is_there)
            yield share("zero", "{number} = 0", number=number)
        if column.min is None:
            yield share("negative", "{number} < 0", number=number)
        yield Measure(
            *(name, "size", sql.SQL("sum(ln(abs({0}))) filter (where {0} <> 0)").format(number)),
            sql.SQL("count(*) filter (where {} <> 0)").format(number),
        )
        if kind in ("bigint", "integer", "smallint"):
            yield Measure(name, "mix", _mix(sql.SQL("hashint8({})").format(field)), is_there)
    elif kind == "text":
        yield share("empty", "{field} = ''")
        yield Measure(name, "length", sql.SQL("sum(char_length({}))").format(field), is_there)
        yield share("garbled", "octet_length({field}) > char_length({field}) and {field} ~ '[ÃÂ\ufffd]|â€'")
        if column.personal in _SHAPES:
            yield share(
                "misshapen",
                "{field} <> '' and {field} !~ {shape}",
                shape=sql.Literal(_SHAPES[column.personal]),
            )
        yield share("digits", "left({field}, 1) between '(' and '9'")
        yield Measure(name, "mix", _mix(sql.SQL("hashtext({})").format(field)), is_there)
    elif kind == "boolean":
        yield share("true", "{field}")
    if kind in TIMES and clock and name != clock:
        yield share("ahead", "{field}::timestamptz > typed.{clock}::timestamptz", clock=sql.Identifier(clock))


def _mix(hashed: sql.Composable) -> sql.Composable:
    """The sum of a hash in [0, 1) of the values: its mean moves when common values are renamed, lost or swapped."""
    return sql.SQL("sum(({}::float8 + 2147483648) / 4294967296)").format(hashed)


def numbers(place: Place) -> sql.Composable:
    """Numbers as floats, once for all that is computed of them."""
    columns = place.table.columns.items()
    names = [name for name, column in columns if column.base_type in NUMBERS and column.history]
    pairs = [sql.SQL(", typed.{}::float8 as {}").format(sql.Identifier(n), _float(n)) for n in names]
    return sql.SQL("").join(pairs)


def _float(name: str) -> sql.Identifier:
    return sql.Identifier(f"{name}#")
