"""The words in which the suites of ``expectations/release`` are written."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from great_expectations.compatibility import pydantic
from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import Expectation

#: A suite with these ``TABLES`` is judged on every mart.
EVERY_MART = ("*",)
Severity = Literal["critical", "warning", "info"]

__all__ = ["EVERY_MART", "ExpectNoRows", "Expectation", "described", "key", "no_rows"]


class ExpectNoRows(UnexpectedRowsExpectation):
    """A query that must yield nothing; only the number of its rows is fetched, never a row.

    The number is in ``failed_rows``: with an ``unexpected_count`` the pages would want a share of rows as well.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    @pydantic.validator("unexpected_rows_query")
    def _validate_query(cls, query: str) -> str:  # noqa: N805  replaces the check for {batch}: tables are named
        return query

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count, "failed_rows": count}}


def described(
    name: str, *, severity: Severity, meaning: str, what_to_do: str, owner: str = "data-team"
) -> dict[str, Any]:
    """What each expectation says about itself, for any class of Great Expectations.

    :param severity: critical closes the gate, warning is shown, info is kept.
    """
    meta = {"name": name, "owner": owner, "what_to_do": what_to_do}
    return {"severity": severity, "description": meaning, "meta": meta}


def no_rows(
    name: str,
    query: str,
    *,
    meaning: str,
    what_to_do: str,
    severity: Severity = "critical",
    owner: str = "data-team",
) -> Expectation:
    """``query`` finds what must not be, one row each; braces in it are doubled."""
    told = described(name, severity=severity, meaning=meaning, what_to_do=what_to_do, owner=owner)
    return ExpectNoRows(unexpected_rows_query=query, **told)


def key(table: str, *columns: str) -> Expectation:
    """The columns identify a row of the table, and none of them is null."""
    listed, missing = ", ".join(columns), " or ".join(f"{column} is null" for column in columns)
    return no_rows(
        f"key ({listed})",
        f"select {listed} from {table} group by {listed} having count(*) > 1 or {missing}",  # noqa: S608
        meaning=f"each row is identified by {listed}",
        what_to_do="a join in the model multiplies rows: run the model's dbt tests, then look at what feeds it",
    )


def known(table: str, column: str, where: str, *, meaning: str, what_to_do: str) -> Expectation:
    """Each value of ``column`` is one in the table ``where``; null counts as known."""
    return no_rows(
        f"{column} known in {where.rsplit('.', 1)[-1]}",
        f"select {column} from {table} as judged where {column} is not null "  # noqa: S608
        f"and not exists (select from {where} as known where known.{column} = judged.{column})",
        meaning=meaning,
        what_to_do=what_to_do,
    )
