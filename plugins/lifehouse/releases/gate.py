"""The release gate: what must hold of the slot before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import GateClosed, ReleaseHeld
from lifehouse.quality import pages
from lifehouse.quality.figure import ExpectFigure
from lifehouse.quality.runner import Failure, SubjectCheck, check
from lifehouse.releases import figures, held, suites
from lifehouse.releases import run as runs
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, Rule, within
from lifehouse.releases.figures import Figure
from lifehouse.releases.late import IN_TIME
from lifehouse.releases.staged import row_by_row

GATE = "release"


@dataclass(frozen=True)
class Verdict:
    """The gate is open. ``warnings`` did not hold but do not stop the run; ``pages`` is its page.

    ``rows`` were judged, in all marts.
    """

    warnings: list[Failure]
    pages: Path
    rows: int = 0


def judge(ctx: Context, run_id: int, marts: Sequence[str] | None = None) -> Verdict:
    """Judge what the run built; every result goes to ``control.quality_results``.

    :param marts: the tables that will be served; by default all of ``dbt_project/models/marts``.
    :raises GateClosed: a critical expectation did not hold, or could not be judged; the run ends, watermark and
        served release stay.
    :raises ReleaseHeld: all held but that required sources are late: the run is left as the candidate.
    """
    names = sorted(project.mart_names() if marts is None else marts)
    company = ctx.project.company
    with runs.hold(ctx, run_id) as (connection, run):
        candidate = Candidate.read(
            connection,
            run,
            names,
            time_zone=company.time_zone,
            reporting_currency=company.reporting_currency,
            staged=row_by_row(ctx.project),
        )
        failures = check(ctx, GATE, list(_checks(ctx, candidate, names)), run_id=run_id)
        rows = sum(candidate.rows.values())
        critical = [failure for failure in failures if failure.is_critical]
        late = held.waited_for(connection, run_id)
        if critical and late and all(failure.expectation == IN_TIME for failure in critical):
            sentences = held.wait(connection, run_id, late)
            raise ReleaseHeld(f"run {run_id}", [each["source"] for each in late], sentences, rows)
        if critical:
            fatal = [failure.sentence for failure in critical]
            runs.finish(ctx, run_id, "gate_closed", "; ".join(fatal))
            raise GateClosed(GATE, f"run {run_id}", fatal, rows)
        connection.execute(
            "update control.runs set gate_passed_at = clock_timestamp() where run_id = %s", (run_id,)
        )
    return Verdict(failures, pages.index(ctx.home, GATE, "all", run_id), rows)


def _checks(ctx: Context, candidate: Candidate, marts: list[str]) -> Iterator[SubjectCheck]:
    """All rules are one suite, so one page; expectations of other classes have a suite and a page for each table."""
    rules: list[tuple[str, Rule]] = []
    others: dict[str, list[Expectation]] = {}
    for name, expected in suites.expectations(ctx, candidate, marts).items():
        if "." not in name and name not in candidate.rows:
            rules.append((name, _exists(candidate, name)))
            continue
        for item in expected:
            if isinstance(item, Rule):
                rules.append((name, item))
            else:
                others.setdefault(name, []).append(item)
    yield SubjectCheck(GATE, None, [_expected(figure) for figure in figures.count(ctx.warehouse, rules)])
    for name, expectations in others.items():
        table = name if "." in name else candidate.table(name)
        yield SubjectCheck(name, f"select * from {table}", expectations, rows=candidate.rows.get(name))  # noqa: S608


def _expected(figure: Figure) -> ExpectFigure:
    rule = figure.rule
    return ExpectFigure.told(
        figure.subject,
        rule.name,
        figure.value,
        meaning=rule.meaning,
        what_to_do=rule.what_to_do,
        severity=rule.severity,
        owner=rule.owner,
        least=rule.least,
        most=rule.most,
        null_holds=True,
        checked=figure.checked,
        counts_rows=rule.counts_rows,
        found=figure.error or figure.detail,
        unjudged=figure.error is not None,
    )


def _exists(candidate: Candidate, mart: str) -> Rule:
    return within(
        "exists",
        f"(select count(*) from pg_tables where schemaname = '{candidate.run.slot}' and tablename = '{mart}')",  # noqa: S608
        least=1,
        meaning="the mart was built",
        what_to_do="look at what dbt said of it, in <home>/logs/dbt",
    )
