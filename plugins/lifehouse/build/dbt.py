"""dbt in this process: one call builds a selection, and its failures become one clear error."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lifehouse.build import journal, parsed, project
from lifehouse.build.place import Place, nightly
from lifehouse.context import Context
from lifehouse.errors import BuildError
from lifehouse.garbage import collecting_seldom
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
) -> list[ModelResult]:
    """Build models and seeds, not tests: dbt tests guard the logic in development, the gates guard the data.

    :param full: build from nothing (drops and creates tables).
    :raises BuildError: names each model that failed, with the database's own message less any values.
    """
    flags = ["--no-write-json"]
    if exclude:
        flags += ["--exclude", *exclude]
    if full:
        flags.append("--full-refresh")
    outcome = invoke(ctx, "build", place, ["--select", *select, *flags])
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


def invoke(ctx: Context, command: str, place: Place | str, arguments: Sequence[str]) -> Any:
    """Any dbt command on the assembled project; returns dbt's own result. One at a time in a process.

    What was parsed once is not parsed again while the files stay the same.

    :param place: a slot's name is the nightly place of it.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  a second and a half: only where dbt runs

    _name_flags_without_looking()
    where = nightly(place) if isinstance(place, str) else place
    root, digest = project.assemble(ctx)
    logs = ctx.home.folder("logs", "dbt")

    def run(place: Place, command: str, manifest: Any, arguments: Sequence[str]) -> Any:
        target = ctx.home.folder("dbt", "target", place.target)
        return dbtRunner(manifest=manifest, callbacks=[keep]).invoke(
            [
                *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "--cache-selected-only"),
                *("--log-level", "none", "--log-level-file", "none"),  # both would quote rows
                *("--log-path", str(logs)),
                command,
                *("--project-dir", str(root), "--profiles-dir", str(project.profiles(ctx, place))),
                *("--target", place.target, "--target-path", str(target)),
                *arguments,
            ]
        )

    at = where if where.file else parsed.NOWHERE  # what another engine's macros say stays with it

    def parse() -> Any:
        outcome = run(at, "parse", None, ["--no-write-json"])
        if not outcome.success:
            raise _NotParsed(outcome)
        return outcome.result

    with journal.written(logs) as keep, _collecting_less():
        try:
            manifest = parsed.project(ctx, f"{digest} {root} {where}" if where.file else digest, parse)
        except _NotParsed as error:
            return error.outcome
        if command == "build":
            _leave_out_tests(manifest)
        if at != where:
            parsed.move(manifest, where, ctx.warehouse.parameters["dbname"], root)
        return run(where, command, manifest, arguments)


@contextmanager
def _collecting_less() -> Iterator[None]:
    """Of the many objects that dbt makes few are garbage, and those of before are none."""
    gc.freeze()
    try:
        with collecting_seldom(50_000):
            yield
    finally:
        gc.unfreeze()


class _NotParsed(Exception):
    """dbt could not parse the project; ``outcome`` says why."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        super().__init__("dbt could not parse the project")


def _leave_out_tests(manifest: Any) -> None:
    """The project as a night builds it. Tests are four of five nodes, and dbt walks all nodes a dozen times a command."""
    manifest.nodes = {name: node for name, node in manifest.nodes.items() if node.resource_type != "test"}
    manifest.unit_tests = {}


def _name_flags_without_looking() -> None:
    """Spare dbt the walk up the whole call stack, 22 times an invocation, to say which module asks about a flag.

    It is only named in dbt's notes on flags. Where many modules are loaded the walk takes longer than the models.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered  # noqa: PLC0415  comes with dbt

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
