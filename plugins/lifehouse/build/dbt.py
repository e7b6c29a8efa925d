"""dbt in this process: one call builds a selection, and its failures become one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lifehouse.build import journal, project
from lifehouse.build.place import Place, nightly
from lifehouse.context import Context
from lifehouse.errors import BuildError
from lifehouse.redaction import without_values


@dataclass(frozen=True)
class ModelResult:
    """What became of one model: seconds, and the rows the last statement touched (None where dbt does not know)."""

    name: str
    status: str
    seconds: float
    rows: int | None


def build(
    ctx: Context,
    select: Sequence[str],
    place: Place,
    *,
    full: bool = False,
    exclude: Sequence[str] = (),
    manifest: Any = None,
) -> list[ModelResult]:
    """Build models and seeds, not tests: dbt tests guard the logic in development, the gates guard the data.

    :param full: build from nothing (drops and creates tables).
    :param manifest: what :func:`parse` gave for the place: nothing is parsed again.
    :raises BuildError: names each model that failed, with the database's own message less any values.
    """
    flags = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    if exclude:
        flags += ["--exclude", *exclude]
    if full:
        flags.append("--full-refresh")
    outcome = invoke(ctx, "build", place, ["--select", *select, *flags], manifest)
    if outcome.exception is not None:
        raise BuildError(f"dbt could not start: {without_values(str(outcome.exception))}")
    results = [
        ModelResult(
            item.node.name, str(item.status), item.execution_time, item.adapter_response.get("rows_affected")
        )
        for item in outcome.result
    ]
    failed = [item for item in outcome.result if str(item.status) in {"error", "fail"}]
    if failed:
        raise BuildError(
            "; ".join(f"model {item.node.name}: {without_values(item.message)}" for item in failed)
        )
    return results


def parse(ctx: Context, place: Place) -> Any:
    """dbt's manifest for a place, for builds of the same code one after another."""
    outcome = invoke(ctx, "parse", place, [])
    if not outcome.success:
        raise BuildError(f"dbt cannot read the project: {without_values(str(outcome.exception))}")
    return outcome.result


def invoke(
    ctx: Context, command: str, place: Place | str, arguments: Sequence[str], manifest: Any = None
) -> Any:
    """Any dbt command on the assembled project; returns dbt's own result. One at a time in a process.

    :param place: a slot's name is the nightly place of it.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  a second and a half: only where dbt runs

    where = nightly(place) if isinstance(place, str) else place
    root = project.assemble(ctx)
    own = manifest.deepcopy() if manifest else None  # a build leaves its marks in it
    target = ctx.home.folder("dbt", "target", where.target)
    with journal.written(ctx.home.folder("logs", "dbt")) as keep:
        try:
            return dbtRunner(manifest=own, callbacks=[keep]).invoke(
                [
                    *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats"),
                    *("--log-level", "none", "--log-level-file", "none"),  # both would quote rows
                    *("--log-path", str(ctx.home.folder("logs", "dbt"))),
                    command,
                    *("--project-dir", str(root), "--profiles-dir", str(project.profiles(ctx, where))),
                    *("--target", where.target, "--target-path", str(target)),
                    *arguments,
                ]
            )
        finally:
            journal.clean(target)
