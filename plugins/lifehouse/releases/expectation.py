"""The words in which the suites of ``expectations/release`` are written.

A rule is a figure that SQL counts and the bounds it must stay in. Rules that count over the same rows share one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lifehouse.quality.figure import Expectation, is_within

#: A suite with these ``TABLES`` is judged on every mart.
EVERY_MART = ("*",)
Severity = Literal["critical", "warning", "info"]

__all__ = [
    "EVERY_MART",
    "Expectation",
    "Rule",
    "described",
    "few",
    "key",
    "known",
    "no_rows",
    "none",
    "within",
]


@dataclass(frozen=True)
class Rule:
    """One invariant: ``figure`` stays between ``least`` and ``most``.

    :param figure: SQL, an aggregate over the rows of ``over``, or a scalar subquery; null holds.
    :param over: what stands after ``from``; rules with the same are counted in one pass. None: nothing.
    :param severity: critical closes the gate, warning is shown, info is kept.
    :param counts_rows: the figure is a number of rows that do not hold, rather than a size or a share.
    :param detail: SQL, a text without personal values (names of columns, sources; counts), asked when it does not hold.
    """

    name: str
    figure: str
    meaning: str
    what_to_do: str
    severity: Severity = "critical"
    owner: str = "data-team"
    over: str | None = None
    least: float | None = None
    most: float | None = 0
    counts_rows: bool = True
    detail: str | None = None

    def holds(self, figure: float | None) -> bool:
        return figure is None or is_within(figure, self.least, self.most)


def described(
    name: str, *, severity: Severity, meaning: str, what_to_do: str, owner: str = "data-team"
) -> dict[str, Any]:
    """What an expectation says about itself, for any class of Great Expectations that a suite uses as it is."""
    meta = {"name": name, "owner": owner, "what_to_do": what_to_do}
    return {"severity": severity, "description": meaning, "meta": meta}


def none(name: str, table: str, where: str, **told: Any) -> Rule:
    """No row of ``table`` (or of a subquery with an alias) is so; all such rules of a table are one pass."""
    return Rule(name, f"count(*) filter (where {where})", over=table, **told)


def few(
    name: str, table: str, where: str, *, share: float, meaning: str, slack: int = 20, **told: Any
) -> list[Rule]:
    """Rows of ``table`` that are so are told; more than ``share`` of them, and than ``slack`` rows, close the gate."""
    rows = f"count(*) filter (where {where})"
    too_many = f"case when {rows} > greatest({slack}, {share} * count(*)) then {rows} else 0 end"
    return [
        Rule(name, rows, meaning, severity="warning", over=table, **told),
        Rule(f"{name}, nearly", too_many, f"{meaning}; at most {share:.0%} are not", over=table, **told),
    ]


def no_rows(name: str, query: str, **told: Any) -> Rule:
    """``query`` finds what must not be, one row each."""
    return Rule(name, f"(select count(*) from ({query}) as found)", **told)  # noqa: S608


def within(
    name: str, figure: str, *, least: float | None = None, most: float | None = None, **told: Any
) -> Rule:
    """A size or a share that must stay within bounds."""
    return Rule(name, figure, least=least, most=most, counts_rows=False, **told)


def key(table: str, *columns: str) -> Rule:
    """The columns identify a row of the table, and none of them is null."""
    listed, missing = ", ".join(columns), " or ".join(f"{column} is null" for column in columns)
    return no_rows(
        f"key ({listed})",
        f"select from {table} group by {listed} having count(*) > 1 or {missing}",
        meaning=f"each row is identified by {listed}",
        what_to_do="a join in the model multiplies rows: run the model's dbt tests, then look at what feeds it",
    )


def known(
    table: str, column: str, where: str, *, also: Sequence[str] = (), meaning: str, what_to_do: str
) -> Rule:
    """Each value of ``column`` (with ``also``, of the columns together) is one in the table ``where``; null counts as known."""
    same = " and ".join(f"known.{name} = judged.{name}" for name in (column, *also))
    return no_rows(
        f"{column} known in {where.rsplit('.', 1)[-1]}",
        f"select from {table} as judged where {column} is not null "  # noqa: S608
        f"and not exists (select from {where} as known where {same})",
        meaning=meaning,
        what_to_do=what_to_do,
    )
