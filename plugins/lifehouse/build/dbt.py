"""dbt in this process: one call builds a selection, and its failures become one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lifehouse.build import project
from lifehouse.context import Context
from lifehouse.errors import BuildError


@dataclass(frozen=True)
class ModelResult:
    """What became of one model: seconds, and the rows the last statement touched (None where dbt does not know)."""

    name: str
    status: str
    seconds: float
    rows: int | None


def build(
    ctx: Context, select: Sequence[str], slot: str, *, full: bool = False, exclude: Sequence[str] = ()
) -> list[ModelResult]:
    """Build models and seeds, not tests: dbt tests guard the logic in development, the gates guard the data.

    :param slot: ``blue`` or ``green``, the schema of everything that is released.
    :param full: build from nothing (drops and creates tables).
    :raises BuildError: names each model that failed, with the database's own message less any values.
    """
    flags = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    if exclude:
        flags += ["--exclude", *exclude]
    if full:
        flags.append("--full-refresh")
    outcome = invoke(ctx, "build", slot, ["--select", *select, *flags])
    if outcome.exception is not None:
        raise BuildError(f"dbt could not start: {_without_values(str(outcome.exception))}")
    results = [
        ModelResult(
            item.node.name, str(item.status), item.execution_time, item.adapter_response.get("rows_affected")
        )
        for item in outcome.result
    ]
    failed = [item for item in outcome.result if str(item.status) in {"error", "fail"}]
    if failed:
        raise BuildError(
            "; ".join(f"model {item.node.name}: {_without_values(item.message)}" for item in failed)
        )
    return results


def invoke(ctx: Context, command: str, slot: str, arguments: Sequence[str]) -> Any:
    """Any dbt command on the assembled project; returns dbt's own result. One at a time in a process."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  a second and a half: only where dbt runs

    root = project.assemble(ctx)
    return dbtRunner().invoke(
        [
            *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats"),
            *("--log-level", "none", "--log-level-file", "info"),
            *("--log-path", str(ctx.home.folder("logs", "dbt"))),
            command,
            *("--project-dir", str(root), "--profiles-dir", str(ctx.home.folder("dbt"))),
            *("--target", slot, "--target-path", str(ctx.home.folder("dbt", "target", slot))),
            *arguments,
        ]
    )


def _without_values(message: str | None) -> str:
    """The database's message without the lines in which Postgres quotes a row's values."""
    lines = [line.strip() for line in (message or "").splitlines()]
    kept = [
        line
        for line in lines
        if line and not line.startswith(("DETAIL", "CONTEXT", "compiled code at", "LINE"))
    ]
    return " ".join(kept)[:600]
