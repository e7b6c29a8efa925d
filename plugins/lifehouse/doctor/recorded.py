"""What ``recorded:`` in lifehouse.yml says of the sources' own pipelines, beside what they really recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from lifehouse import config
from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.lifecycles.recorded import PREFIX, name_of
from lifehouse.project import MARKER
from lifehouse.spelling import did_you_mean

_RECORDED = """
    select distinct lifecycle, stage from marts.stage_history where lifecycle like 'recorded%'
"""


def pipelines(ctx: Context) -> Iterator[Finding]:
    """Names that no record has: nothing else tells a slip in them from a pipeline or a stage that is still to come."""
    declared = ctx.project.company.recorded
    if not declared or ctx.warehouse.value("select to_regclass('marts.stage_history')") is None:
        return
    stages: dict[str, set[str]] = defaultdict(set)
    for row in ctx.warehouse.rows(_RECORDED):
        stages[row["lifecycle"]].add(row["stage"])
    if not stages:
        return
    path = ctx.project.root / MARKER
    node, _ = config.parsed(path.read_text(encoding="utf-8"))

    def unknown(what: str, name: str, known: set[str], *place: str | int) -> Finding:
        line = config.line_of(node, ["recorded", *place])
        return Finding(
            "recorded",
            Verdict.MIND,
            f"{path}:{line}: no record names the {what} {name!r}{did_you_mean(name, known)}",
            "spell it as the source does, or leave it if it is still to come",
        )

    for pipeline, told in declared.items():
        known = stages.get(name_of(pipeline))
        if known is None:
            names = {lifecycle.removeprefix(f"{PREFIX}_") for lifecycle in stages}
            yield unknown("pipeline", pipeline, names, pipeline)
            continue
        for number, stage in enumerate(told.stages):
            if stage.stage not in known:
                undeclared = known - {each.stage for each in told.stages}
                yield unknown("stage", stage.stage, undeclared, pipeline, "stages", number)
