"""The release gate: what must hold of the slot before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import GateClosed
from lifehouse.quality import pages
from lifehouse.quality.runner import Failure, SubjectCheck, check
from lifehouse.releases import run as runs
from lifehouse.releases import suites
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, described

GATE = "release"


@dataclass(frozen=True)
class Verdict:
    """The gate is open. ``warnings`` did not hold but do not stop the run; ``pages`` is the data docs' index."""

    warnings: list[Failure]
    pages: Path


def judge(ctx: Context, run_id: int, marts: Sequence[str] | None = None) -> Verdict:
    """Judge what the run built; every result goes to ``control.quality_results``.

    :param marts: the tables that will be served; by default all of ``dbt_project/models/marts``.
    :raises GateClosed: a critical expectation did not hold; the run ends, watermark and served release stay.
    """
    names = sorted(project.mart_names() if marts is None else marts)
    with runs.hold(ctx, run_id) as (connection, run):
        candidate = Candidate.read(connection, run, names)
        failures = check(ctx, GATE, list(_checks(ctx, candidate, names)), run_id=run_id)
        fatal = [failure.sentence for failure in failures if failure.is_critical]
        if fatal:
            runs.finish(ctx, run_id, "gate_closed", "; ".join(fatal))
            raise GateClosed(GATE, f"run {run_id}", fatal)
        connection.execute(
            "update control.runs set gate_passed_at = clock_timestamp() where run_id = %s", (run_id,)
        )
    return Verdict(failures, pages.index(ctx.home, GATE, "all", run_id))


def _checks(ctx: Context, candidate: Candidate, marts: list[str]) -> Iterator[SubjectCheck]:
    for name, expectations in suites.expectations(ctx, candidate, marts).items():
        if "." in name:
            yield SubjectCheck(name, f"select * from {name}", expectations)  # noqa: S608
        elif name in candidate.rows:
            query = f"select * from {candidate.table(name)}"  # noqa: S608
            yield SubjectCheck(name, query, expectations, rows=candidate.rows[name])
        else:
            yield SubjectCheck(name, "select where false", [_exists()])


def _exists() -> Expectation:
    told = described(
        "exists",
        severity="critical",
        meaning="the mart was built",
        what_to_do="look at what dbt said of it, in <home>/logs/dbt",
    )
    return ExpectTableRowCountToBeBetween(min_value=1, **told)
