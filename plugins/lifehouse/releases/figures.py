"""Count what the rules ask: one statement for all rules over the same rows, several statements side by side.

What is judged stands still, so the statements need no common snapshot. Rules are counted alone only where the statement
that they share fails.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from lifehouse.releases.expectation import Rule
from lifehouse.warehouse.connection import Warehouse

#: SQLSTATE classes whose messages speak of names alone: syntax and access, missing objects.
_OF_NAMES = ("42", "3F", "0A")

#: So many statements count side by side: a gate asks some sixty, of which a few take most of the time.
SIDE_BY_SIDE = max(2, min(4, os.cpu_count() or 2))
#: So many rules that count over nothing in common share a statement: fewer, and one of them may be the last to end.
TOGETHER = 4


@dataclass(frozen=True)
class Figure:
    """A rule and what was counted. ``checked`` is the number of rows looked at, where the pass counts them."""

    subject: str
    rule: Rule
    value: float | None
    checked: int | None = None
    detail: str | None = None
    error: str | None = None

    @property
    def holds(self) -> bool:
        return self.error is None and self.rule.holds(self.value)


def count(warehouse: Warehouse, rules: Sequence[tuple[str, Rule]]) -> list[Figure]:
    """The figures, in the order of the ``rules`` (subject, rule).

    A rule that cannot be counted does not hold and is critical, whatever it was: nobody knows what it would have seen.
    """
    passes: dict[tuple[str | None, int], dict[int, tuple[str, Rule]]] = {}
    alone: dict[str, int] = {}  # a figure that two rules bound, one more strictly, is counted once
    for place, (subject, rule) in enumerate(rules):
        part = 0 if rule.over else alone.setdefault(rule.figure, len(alone)) // TOGETHER
        passes.setdefault((rule.over, part), {})[place] = (subject, rule)
    found: dict[int, Figure] = {}
    with ExitStack() as open_connections, ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        own = threading.local()

        def counted(shared: tuple[str | None, int]) -> dict[int, Figure]:
            if not hasattr(own, "connection"):
                # In autocommit, or a failed statement would take the others along; and compiling many small
                # aggregates takes longer than counting.
                own.connection = open_connections.enter_context(warehouse.connect(autocommit=True))
                own.connection.execute("set jit = off")
            figures = _pass(own.connection, shared[0], passes[shared])
            return {place: _explained(own.connection, figure) for place, figure in figures.items()}

        for figures in threads.map(counted, passes):
            found |= figures
    return [found[place] for place in range(len(rules))]


def _pass(
    connection: psycopg.Connection[Any], over: str | None, rules: dict[int, tuple[str, Rule]]
) -> dict[int, Figure]:
    asked = list(dict.fromkeys(rule.figure for _, rule in rules.values()))
    try:
        checked, *values = _row(connection, over, ["count(*)" if over else "null", *asked])
    except psycopg.Error as error:
        if len(rules) == 1:
            return {place: _unjudged(subject, rule, error) for place, (subject, rule) in rules.items()}
        return {
            place: figure
            for key, one in rules.items()
            for place, figure in _pass(connection, over, {key: one}).items()
        }
    by_figure = dict(zip(asked, values, strict=True))
    return {
        place: Figure(subject, rule, _number(by_figure[rule.figure]), checked)
        for place, (subject, rule) in rules.items()
    }


def _explained(connection: psycopg.Connection[Any], figure: Figure) -> Figure:
    if figure.holds or figure.error or figure.rule.detail is None:
        return figure
    try:
        (detail,) = _row(connection, figure.rule.over, [figure.rule.detail])
    except psycopg.Error as error:
        detail = _without_values(error)
    return replace(figure, detail=str(detail) if detail is not None else None)


def _row(connection: psycopg.Connection[Any], over: str | None, columns: Iterable[str]) -> tuple[Any, ...]:
    query = f"select {', '.join(columns)}" + (f" from {over}" if over else "")  # noqa: S608  a suite's own SQL
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101  aggregates and scalars always give one
    return tuple(row)


def _unjudged(subject: str, rule: Rule, error: psycopg.Error) -> Figure:
    return Figure(subject, replace(rule, severity="critical"), None, error=_without_values(error))


def _without_values(error: psycopg.Error) -> str:
    said = (error.diag.message_primary or "") if (error.sqlstate or "").startswith(_OF_NAMES) else ""
    return f"could not be judged ({type(error).__name__}{': ' + said if said else ''})"


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, int):
        return value
    return float(value)
