"""The raw gate's suite of a table, compiled from the same declaration as the quarantine SQL.

It judges one row of figures for each table: what the load counted, how many stored rows break each rule, and what is
outside the usual range. The rows themselves were scanned once, for their profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import great_expectations.expectations
from great_expectations.expectations.expectation import Expectation
from psycopg import sql

from lifehouse.ingest import words
from lifehouse.ingest.drift import CLOSING, NOTED
from lifehouse.ingest.profile import typed_rules
from lifehouse.ingest.raw import Place
from lifehouse.ingest.rhythm import Figure
from lifehouse.quality.runner import SubjectCheck

gxe: Any = great_expectations.expectations  # its names are not declared as exported
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REPORT = "report this: quarantine should have set it aside"

#: One row: what the load brought of a table.
_FIGURES = """
select
    counts.received,
    counts.loaded + counts.unchanged + counts.quarantined - counts.received as unaccounted,
    counts.quarantined::float8 / greatest(counts.received, 1) as quarantined_share,
    {more}
from control.load_tables as counts
inner join control.loads as loads on counts.load_id = loads.load_id
where counts.load_id = {load} and counts.table_name = {table}
"""

_CHANGED = """(
    select count(*) from control.schema_changes as changes
    where changes.load_id = counts.load_id and changes.table_name = counts.table_name and changes.kind = {kind}
) as {name}"""

_BROKEN = """(
    select sum(profiles.total) from control.load_profiles as profiles
    where profiles.load_id = counts.load_id and profiles.table_name = counts.table_name
        and profiles.measure = {measure}
) as {name}"""

_FOUND = """(
    select round(bounds.found::numeric, 4)::float8 from control.load_bounds as bounds
    where bounds.load_id = counts.load_id and bounds.table_name = counts.table_name
        and bounds.column_name = {column} and bounds.measure = {measure}
) as {name}"""

_USUAL = """(
    select count(*) from control.load_bounds as bounds
    where bounds.load_id = counts.load_id and bounds.table_name = counts.table_name
        and bounds.found between bounds.low and bounds.high
) as usual"""

_AGE = """(
    select coalesce(extract(epoch from loads.opened_at - max(records.{column})::timestamptz), 1e12)
    from {raw} as records
    inner join control.loads as theirs on records._load_id = theirs.load_id
    where theirs.status = 'accepted' or theirs.load_id = loads.load_id
)::float8 as age_seconds"""

_MEANINGS = {
    "missing": "no declared column is missing",
    "narrowed": "no column holds less than before and than declared",
    "added": "no column is new",
    "widened": "no column holds more than before",
    "retyped": "no column has another type",
}
_ADVICE = {
    "missing": "ask the source, or change the declaration",
    "narrowed": "ask the source; if it is to stay, `lifehouse loads accept` the load with a reason",
    "added": "it is kept in _extra; declare it to have it as a column",
    "widened": "nothing: every value is still checked against the declared type",
    "retyped": "nothing: it still holds all that is declared",
}


def of_table(
    place: Place, load_id: int, figures: Sequence[Figure], *, is_whole: bool, is_profiled: bool
) -> SubjectCheck:
    """What must hold of a load's table: shape, share of bad records, volume, freshness, rules, and what is usual.

    :param figures: what was judged against history. :param is_whole: the delivery was read from the beginning, so the
        fixed bounds on volume apply. :param is_profiled: rows were stored, and scanned.
    """
    table, names = place.table, {"load": sql.Literal(load_id), "table": sql.Literal(place.name)}
    expected = _of_counts(place, load_id, is_whole=is_whole)
    more: list[sql.Composable] = [
        sql.SQL(_CHANGED).format(kind=sql.Literal(kind), name=sql.Identifier(f"{kind}_columns"))
        for kind in (*CLOSING, *NOTED)
    ]
    if table.freshness:
        within = table.freshness.within
        newest = sql.Identifier(table.freshness.column)
        more.append(sql.SQL(_AGE).format(column=newest, raw=place.raw))
        limit = int(within[:-1]) * _SECONDS[within[-1]]
        meaning = f"the newest {table.freshness.column} is at most {within} old"
        expected.append(_at_most("age_seconds", limit, meaning, "is the source still being written?"))
    for measure, name, expectation in _of_rules(place) if is_profiled else ():
        more.append(sql.SQL(_BROKEN).format(measure=sql.Literal(measure), name=sql.Identifier(name)))
        expected.append(expectation)
    for number, figure in enumerate(figure for figure in figures if figure.severity):
        name = f"figure_{number}"
        place_of = {"column": sql.Literal(figure.column), "measure": sql.Literal(figure.measure)}
        more.append(sql.SQL(_FOUND).format(**place_of, name=sql.Identifier(name)))
        expected.append(_of_figure(place, name, figure))
    if figures:
        more.append(sql.SQL(_USUAL))
        told = _told("figures are in their usual range", None, "", "info", name="usual")
        expected.append(gxe.ExpectColumnMaxToBeBetween(column="usual", min_value=0, **told))
    query = sql.SQL(_FIGURES).format(**names, more=sql.SQL(",\n    ").join(more))
    return SubjectCheck(
        f"{place.source.source}.{place.name}", query.as_string(), expected, place.source.owner
    )


def _of_counts(place: Place, load_id: int, *, is_whole: bool) -> list[Expectation]:
    share, table = place.source.quarantine_share, place.table
    look = f"look at `lifehouse quarantine show {load_id}`"
    expected = [
        _at_most("quarantined_share", share, f"at most {share:.2%} of the records are bad", look),
        _at_most("unaccounted", 0, "received = loaded + unchanged + quarantined", "report this"),
    ]
    for kind in (*CLOSING, *NOTED):
        severity = "critical" if kind in CLOSING else "info"
        expected.append(_at_most(f"{kind}_columns", 0, _MEANINGS[kind], _ADVICE[kind], severity))
    if table.refuses_empty and not table.given:
        expected.append(_at_least("received", 1, "the extract is not empty"))
    if is_whole and table.volume.min_rows:
        expected.append(
            _at_least("received", table.volume.min_rows, f"at least {table.volume.min_rows:,} rows")
        )
    if is_whole and table.volume.max_rows is not None:
        bound = table.volume.max_rows
        expected.append(_at_most("received", bound, f"at most {bound:,} rows", "look at the source"))
    return expected


def _of_rules(place: Place) -> list[tuple[str, str, Expectation]]:
    """Measure, name and expectation of every rule: no stored row breaks it."""
    found = []
    for number, rule in enumerate(typed_rules(place)):
        name = f"rule_{number}"
        told = _told(f"no {rule.reason}", rule.column, _REPORT, name=f"{rule.column}: {rule.reason}")
        found.append(
            (f"rule {number}", name, gxe.ExpectColumnMaxToBeBetween(column=name, max_value=0, **told))
        )
    if place.table.key:
        told = _told(f"({', '.join(place.table.key)}) is unique", None, _REPORT, name="unique key")
        found.append(
            ("repeated keys", "repeated_keys",
             gxe.ExpectColumnMaxToBeBetween(column="repeated_keys", max_value=0, **told))
        )  # fmt: skip
    return found


def _of_figure(place: Place, name: str, figure: Figure) -> Expectation:
    """A figure outside its usual range: the bound that it breaks is the one that is expected."""
    limits = figure.bounds
    is_critical = figure.severity == "critical" and figure.measure != "lost days"
    low, high = (limits.critical_low, limits.critical_high) if is_critical else (limits.low, limits.high)
    told = _told(
        words.meaning(figure), figure.column or None, words.ADVICE,
        figure.severity or "info", name=f"usual {figure.measure}",
    )  # fmt: skip
    return gxe.ExpectColumnMaxToBeBetween(column=name, min_value=low, max_value=high, **told)


def _at_most(
    column: str, bound: float, meaning: str, what_to_do: str, severity: str = "critical"
) -> Expectation:
    told = _told(meaning, None, what_to_do, severity, name=column)
    return gxe.ExpectColumnMaxToBeBetween(column=column, max_value=bound, **told)


def _at_least(column: str, bound: float, meaning: str) -> Expectation:
    told = _told(meaning, None, "look at the source", name=f"{column} at least")
    return gxe.ExpectColumnMaxToBeBetween(column=column, min_value=bound, **told)


def _told(
    meaning: str, column: str | None, what_to_do: str, severity: str = "critical", name: str | None = None
) -> dict[str, Any]:
    meta = {"what_to_do": what_to_do, "column": column, **({"name": name} if name else {})}
    return {"description": meaning, "severity": severity, "meta": meta}
