"""The rules of a table, in SQL: what sets a single record aside, in the order in which they are tried.

The raw gate's suite (:mod:`lifehouse.ingest.suite`) is compiled from the same declaration.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from lifehouse.ingest.table import NUMBERS, TIMES, Column, Table

MALFORMED = "malformed line"
DUPLICATE = "duplicate key"
MISSING_KEY = "missing key"
#: Landed type -> declared types that take every one of its values as they are.
_SAFE = {
    "smallint": {"integer", "bigint", "numeric"},
    "integer": {"bigint", "numeric"},
    "bigint": {"numeric"},
    "timestamp without time zone": {"timestamptz"},
    "timestamp with time zone": {"timestamptz"},
    "date": {"timestamp", "timestamptz"},
}
_SHAPES = {
    **dict.fromkeys(NUMBERS, r"^\s*[-+]?\.?[0-9]"),
    **dict.fromkeys(TIMES, r"^\s*[0-9]"),
}
_SAME = {"timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone"}


@dataclass(frozen=True)
class Rule:
    """One way for a record to be bad: ``condition`` is SQL over ``landed`` (as received) or ``typed`` values."""

    column: str
    reason: str
    condition: sql.Composable
    on: str  # landed or typed


def landed_name(name: str, column: Column) -> str:
    """The column's name in the landing table: that at the source."""
    return column.from_ or name


def value(name: str, column: Column, landed: dict[str, str]) -> sql.Composable:
    """The declared column's typed value, null where it cannot be read; ``landed`` is the landing table's alias."""
    kind = sql.SQL(column.type)
    at_source = landed_name(name, column)
    if at_source not in landed:
        return sql.SQL("null::{}").format(kind)
    field = sql.Identifier("landed", at_source)
    if is_safe(landed[at_source], column):
        return sql.SQL("{}::{}").format(field, kind)
    return sql.SQL("case when {} then {}::text::{} end").format(_readable(field, column), field, kind)


def _readable(field: sql.Composable, column: Column) -> sql.Composable:
    """Postgres reads the text as this type, and it is no word such as NaN, Infinity, now or yesterday."""
    valid = sql.SQL("pg_input_is_valid({}::text, {})").format(field, sql.Literal(column.type))
    shape = _SHAPES.get(column.base_type)
    if shape is None:
        return valid
    return sql.SQL("{}::text ~ {} and {}").format(field, sql.Literal(shape), valid)


def rules(table: Table, landed: dict[str, str]) -> list[Rule]:
    """Every rule of a table whose landing table has the columns ``landed`` (name: Postgres type)."""
    found = []
    if "_malformed" in landed:
        found.append(Rule("", MALFORMED, sql.SQL("landed._malformed is not null"), "landed"))
    for name, column in table.columns.items():
        at_source = landed_name(name, column)
        if at_source in landed and not is_safe(landed[at_source], column):
            field = sql.Identifier("landed", at_source)
            condition = sql.SQL("{} is not null and not ({})").format(field, _readable(field, column))
            found.append(Rule(name, f"not a {column.type}", condition, "landed"))
    for name in dict.fromkeys((*table.key, *(n for n, c in table.columns.items() if c.required))):
        null = sql.SQL("{} is null").format(sql.Identifier("typed", name))
        found.append(Rule(name, MISSING_KEY if name in table.key else "missing value", null, "typed"))
    for name, column in table.columns.items():
        found += _of_values(name, column)
    return found


def is_flagged(table: Table) -> sql.Composable:
    """A condition on ``typed`` values: the record says that it is deleted."""
    flag = table.deletions.flag if table.deletions else None
    if flag is None:
        return sql.SQL("false")
    field = sql.Identifier("typed", flag.column)
    values = flag.values or (("true",) if table.columns[flag.column].base_type == "boolean" else ())
    if not values:
        return sql.SQL("({} is not null)").format(field)
    return sql.SQL("coalesce({}::text = any ({}), false)").format(field, sql.Literal(list(values)))


def describe(column: Column) -> dict[str, str]:
    """Reason of each value rule that a column declares; the words for people."""
    words = {}
    if column.allowed is not None:
        words["in"] = "unknown " + ("currency" if _is_currency(column.allowed) else "value")
    if column.min is not None:
        words["min"] = "negative" if str(column.min) == "0" else f"below {column.min}"
    if column.max is not None:
        words["max"] = f"above {column.max}"
    if column.matches is not None:
        words["matches"] = "does not match the pattern"
    if column.not_before is not None:
        words["not_before"] = f"before {column.not_before}"
    return words


def _of_values(name: str, column: Column) -> list[Rule]:
    field, kind = sql.Identifier("typed", name), sql.SQL(column.type)
    words = describe(column)
    tests = {
        "in": sql.SQL("{}::text <> all ({})").format(field, sql.Literal(column.allowed or [])),
        "min": sql.SQL("{} < {}::{}").format(field, sql.Literal(str(column.min)), kind),
        "max": sql.SQL("{} > {}::{}").format(field, sql.Literal(str(column.max)), kind),
        "matches": sql.SQL("{}::text !~ {}").format(field, sql.Literal(column.matches)),
        "not_before": sql.SQL("{} < {}").format(field, sql.Identifier("typed", column.not_before or name)),
    }
    return [Rule(name, reason, tests[rule], "typed") for rule, reason in words.items()]


def _is_currency(allowed: list[str]) -> bool:
    return all(len(word) == 3 and word.isupper() for word in allowed)


def is_safe(landed_type: str, column: Column) -> bool:
    """Whether every landed value casts without error and without loss."""
    kind = column.type
    landed_base = landed_type.partition("(")[0]
    if kind == "text" or landed_type == _SAME.get(kind, kind):
        return True
    if kind == "numeric" and landed_base == "numeric":
        return True
    return kind in _SAFE.get(landed_base, ())
