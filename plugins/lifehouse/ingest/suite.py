"""The raw gate's suite of a table, compiled from the same declaration as the quarantine SQL."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import great_expectations.expectations
from great_expectations.expectations.expectation import Expectation
from psycopg import sql

from lifehouse.ingest.raw import Place
from lifehouse.ingest.rules import describe
from lifehouse.ingest.table import NUMBERS, Column
from lifehouse.quality.runner import SubjectCheck

gxe: Any = great_expectations.expectations  # its names are not declared as exported
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

#: One row: what the load brought of a table.
_COUNTS = """
select
    counts.received,
    counts.loaded + counts.unchanged + counts.quarantined - counts.received as unaccounted,
    counts.quarantined::float8 / greatest(counts.received, 1) as quarantined_share,
    (
        select count(*) from control.schema_changes as changes
        where changes.load_id = counts.load_id and changes.table_name = counts.table_name
            and changes.kind = 'missing'
    ) as missing_columns,
    (
        select count(*) from control.schema_changes as changes
        where changes.load_id = counts.load_id and changes.table_name = counts.table_name
            and changes.kind = 'retyped'
    ) as retyped_columns
    {age}
from control.load_tables as counts
inner join control.loads as loads on counts.load_id = loads.load_id
where counts.load_id = {load} and counts.table_name = {table}
"""

_AGE = """
    , (
        select coalesce(extract(epoch from loads.opened_at - max(records.{column})::timestamptz), 1e12)
        from {raw} as records
        inner join control.loads as theirs on records._load_id = theirs.load_id
        where theirs.status = 'accepted' or theirs.load_id = loads.load_id
    )::float8 as age_seconds
"""


def of_counts(place: Place, load_id: int, *, is_whole: bool) -> SubjectCheck:
    """What must hold of the numbers of a load: shape, share of bad records, volume, freshness.

    :param is_whole: the delivery was read from the beginning, so the bounds on volume apply.
    :param rows_before: an accepted load holds rows of this table.
    """
    share, table = place.source.quarantine_share, place.table
    expected = [
        _at_most("missing_columns", 0, "no declared column is missing", "ask the source, or change the declaration"),
        _at_most("quarantined_share", share, f"at most {share:.2%} of the records are bad", _look(load_id)),
        _at_most("unaccounted", 0, "received = loaded + unchanged + quarantined", "report this"),
        _at_most(
            "retyped_columns", 0, "columns have the declared type at the source",
            "change the declaration if this is to stay", "warning",
        ),
    ]  # fmt: skip
    if table.refuses_empty and not table.given:
        expected.append(_at_least("received", 1, "the extract is not empty"))
    if is_whole and table.volume.min_rows:
        expected.append(
            _at_least("received", table.volume.min_rows, f"at least {table.volume.min_rows:,} rows")
        )
    if is_whole and table.volume.max_rows is not None:
        bound = table.volume.max_rows
        expected.append(_at_most("received", bound, f"at most {bound:,} rows", "look at the source"))
    age: sql.Composable = sql.SQL("")
    if table.freshness:
        within = table.freshness.within
        limit = int(within[:-1]) * _SECONDS[within[-1]]
        age = sql.SQL(_AGE).format(column=sql.Identifier(table.freshness.column), raw=place.raw)
        meaning = f"the newest {table.freshness.column} is at most {within} old"
        expected.append(_at_most("age_seconds", limit, meaning, "is the source still being written?"))
    query = sql.SQL(_COUNTS).format(load=sql.Literal(load_id), table=sql.Literal(place.name), age=age)
    return SubjectCheck(_name(place), query.as_string(), expected, place.source.owner)


def of_rows(place: Place, load_id: int) -> SubjectCheck:
    """What must hold of every record that the load stored."""
    expected: list[Expectation] = []
    for name in dict.fromkeys((*place.table.key, *(n for n, c in place.table.columns.items() if c.required))):
        expected.append(
            gxe.ExpectColumnValuesToNotBeNull(column=name, **_told(f"{name} is never null", name))
        )
    for name, column in place.table.columns.items():
        expected += _of_values(name, column)
    if len(place.table.key) == 1:
        key = place.table.key[0]
        expected.append(gxe.ExpectColumnValuesToBeUnique(column=key, **_told(f"{key} is unique", key)))
    elif place.table.key:
        listed = ", ".join(place.table.key)
        told = _told(f"({listed}) is unique", None)
        expected.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=list(place.table.key), **told))
    query = sql.SQL("select * from {} where _load_id = {} and not _deleted").format(
        place.raw, sql.Literal(load_id)
    )
    return SubjectCheck(_name(place), query.as_string(), expected, place.source.owner)


def _of_values(name: str, column: Column) -> list[Expectation]:
    words = describe(column)
    found: list[Expectation] = []
    if column.allowed is not None and column.base_type == "text":
        told = _told(f"{name} is never an {words['in']}", name)
        found.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=column.allowed, **told))
    if column.min is not None or column.max is not None:
        words_of = " or ".join(words[bound] for bound in ("min", "max") if bound in words)
        told = _told(f"{name} is never {words_of}", name)
        low, high = _bound(column.min, column), _bound(column.max, column)
        found.append(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high, **told))
    if column.matches is not None:
        told = _told(f"{name} matches its pattern", name)
        found.append(gxe.ExpectColumnValuesToMatchRegex(column=name, regex=column.matches, **told))
    return found


def _bound(value: Decimal | str | None, column: Column) -> Any:
    if value is None:
        return None
    return float(value) if column.base_type in NUMBERS else datetime.fromisoformat(str(value))


def _at_most(
    column: str, bound: float, meaning: str, what_to_do: str, severity: str = "critical"
) -> Expectation:
    told = _told(meaning, None, what_to_do, severity, name=column)
    return gxe.ExpectColumnMaxToBeBetween(column=column, max_value=bound, **told)


def _at_least(column: str, bound: float, meaning: str) -> Expectation:
    told = _told(meaning, None, "look at the source", name=f"{column} at least")
    return gxe.ExpectColumnMaxToBeBetween(column=column, min_value=bound, **told)


def _told(
    meaning: str,
    column: str | None,
    what_to_do: str = "report this: quarantine should have set it aside",
    severity: str = "critical",
    name: str | None = None,
) -> dict[str, Any]:
    meta = {"what_to_do": what_to_do, "column": column, **({"name": name} if name else {})}
    return {"description": meaning, "severity": severity, "meta": meta}


def _look(load_id: int) -> str:
    return f"look at `lifehouse quarantine show {load_id}`"


def _name(place: Place) -> str:
    return f"{place.source.source}.{place.name}"
