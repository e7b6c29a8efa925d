"""``lifehouse plan`` and ``lifehouse sync``: what a platform should hold, and bringing it there."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

Name = Annotated[str, typer.Argument(metavar="SYNC", help="The name of a file in dags/syncs, without .yml.")]
OnlyFailed = Annotated[
    bool, typer.Option("--only-failed", help="Only the rows that the platform refused before.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(plan)
    app.command()(sync)


def plan(name: Name, only_failed: OnlyFailed = False) -> None:
    """What a sync would send now, and whether its guards let it; nothing is sent."""
    from lifehouse.activation import guards
    from lifehouse.activation.declaration import find_sync
    from lifehouse.activation.plan import plan as work_out
    from lifehouse.activation.show import show_plan
    from lifehouse.context import Context

    ctx = Context.current()
    order = find_sync(ctx.project, name)
    proposed = work_out(ctx, order, only_failed=only_failed)
    findings = guards.examine(proposed, order)
    show_plan(Console(), order, proposed, findings)
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


def sync(name: Name, only_failed: OnlyFailed = False) -> None:
    """Bring a platform to the published segment; finishes first what a killed sync had in flight."""
    from lifehouse.activation.run import sync as run_sync
    from lifehouse.activation.show import show_result
    from lifehouse.context import Context

    ctx = Context.current()
    show_result(Console(), ctx.warehouse, run_sync(ctx, name, only_failed=only_failed))
