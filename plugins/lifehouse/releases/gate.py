"""The release gate: what must hold of the slot before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import GateClosed
from lifehouse.releases import run as runs
from lifehouse.releases import suites
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.validation import Result, validate


@dataclass(frozen=True)
class Verdict:
    """The gate is open. ``pages`` is the data docs' index; ``warnings`` say what did not hold but does not stop the run."""

    results: list[Result]
    pages: Path

    @property
    def warnings(self) -> list[str]:
        return [result.sentence for result in self.results if not result.success]


def judge(ctx: Context, run_id: int, marts: Sequence[str] | None = None) -> Verdict:
    """Judge what the run built; every result goes to ``control.quality_results``.

    :param marts: the tables that will be served; by default all of ``dbt_project/models/marts``.
    :raises GateClosed: a critical expectation did not hold; the run ends, the slot's watermark and what is served stay.
    """
    names = sorted(project.mart_names() if marts is None else marts)
    with runs.hold(ctx, run_id) as (connection, run):
        candidate = Candidate.read(connection, run, names)
        expected = suites.expectations(ctx, candidate, names)
        missing = sorted({name for name in (*names, *expected) if "." not in name} - candidate.rows.keys())
        pages = ctx.home.folder("data_docs", "release")
        results = [_missing(name) for name in missing] + validate(
            ctx.warehouse,
            "release",
            f"run {run_id}",
            {
                name: (name if "." in name else candidate.table(name), found)
                for name, found in expected.items()
                if found and name not in missing
            },
            pages,
        )
        with connection.transaction():
            for result in results:
                checked = candidate.rows.get(result.subject)
                connection.execute(_STORE, {**vars(result), "run_id": run_id, "checked": checked})
        fatal = [result.sentence for result in results if result.is_fatal]
        if fatal:
            runs.finish(ctx, run_id, "gate_closed", "; ".join(fatal))
            raise GateClosed("release", f"run {run_id}", fatal)
        connection.execute(
            "update control.runs set gate_passed_at = clock_timestamp() where run_id = %s", (run_id,)
        )
        return Verdict(results, pages / "index.html")


def _missing(name: str) -> Result:
    return Result(
        name,
        "exists",
        "critical",
        success=False,
        failed=None,
        observed="missing",
        meaning="the mart was built",
        what_to_do="look at what dbt said of it in the station's record",
        owner="data-team",
    )


_STORE = """
    insert into control.quality_results (
        gate, run_id, subject, expectation, severity, success, checked, failed, observed, meaning, what_to_do, owner
    )
    values (
        'release', %(run_id)s, %(subject)s, %(name)s, %(severity)s, %(success)s, %(checked)s, %(failed)s, %(observed)s,
        %(meaning)s, %(what_to_do)s, %(owner)s
    )
"""
