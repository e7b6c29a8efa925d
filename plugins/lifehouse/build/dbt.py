"""dbt in this process: one call builds a selection, and its failures become one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
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

    What this process has parsed for a place is not parsed again while files and connection stay the same.

    :param place: a slot's name is the nightly place of it.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  a second and a half: only where dbt runs

    _name_flags_without_looking()
    where = nightly(place) if isinstance(place, str) else place
    root, digest = project.assemble(ctx)
    folder, profile = project.profiles(ctx, where)
    target = ctx.home.folder("dbt", "target", where.target)
    logs = ctx.home.folder("logs", "dbt")

    def run(command: str, manifest: Any, arguments: Sequence[str]) -> Any:
        return dbtRunner(manifest=manifest, callbacks=[keep]).invoke(
            [
                *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "--cache-selected-only"),
                *("--log-level", "none", "--log-level-file", "none"),  # both would quote rows
                *("--log-path", str(logs)),
                command,
                *("--project-dir", str(root), "--profiles-dir", str(folder)),
                *("--target", where.target, "--target-path", str(target)),
                *arguments,
            ]
        )

    with journal.written(logs) as keep:
        key = (where.target, digest, profile)
        if key not in _parsed:
            outcome = run("parse", None, [])
            if not outcome.success:
                return outcome
            _remember(key, outcome.result)
        parsed = _without_tests(_parsed[key]) if command == "build" else _parsed[key]
        return run(command, parsed.deepcopy(), arguments)  # a command leaves its marks in it


def _without_tests(manifest: Any) -> Any:
    """The project as a night builds it. Tests are four of five nodes, and dbt walks all nodes a dozen times a command."""
    lean = copy(manifest)
    lean.nodes = {name: node for name, node in manifest.nodes.items() if node.resource_type != "test"}
    lean.unit_tests, lean.files = {}, {}
    return lean


def _name_flags_without_looking() -> None:
    """Spare dbt the walk up the whole call stack, 22 times an invocation, to say which module asks about a flag.

    It is only named in dbt's notes on flags. Where many modules are loaded the walk takes longer than the models.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered  # noqa: PLC0415  comes with dbt

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]


#: dbt's manifests by target, digest of the project and text of the profile: the last ones of this process.
_parsed: dict[tuple[str, str, str], Any] = {}
_KEPT = 4  # blue, green, and two scratch places: some 20 MB each


def _remember(key: tuple[str, str, str], manifest: Any) -> None:
    while len(_parsed) >= _KEPT:
        del _parsed[next(iter(_parsed))]
    _parsed[key] = manifest
