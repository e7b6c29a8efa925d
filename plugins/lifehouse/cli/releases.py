"""``lifehouse releases``, ``publish`` and ``rollback``: what was published, what waits, and taking the last one back."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(releases)
    app.command()(publish)
    app.command()(rollback)


def releases(
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many to show.")] = 20,
) -> None:
    """The releases, newest first: as of when, when published, and which one is served."""
    from lifehouse.context import Context
    from lifehouse.releases.held import WHAT_TO_DO, waiting

    ctx = Context.current()
    if run := waiting(ctx):
        typer.echo(
            f"Run {run['run_id']}, as of {run['as_of']:%Y-%m-%d %H:%M} UTC, is held back since "
            f"{run['held_at']:%Y-%m-%d %H:%M} UTC: {run['held_why']}.\nTo do: {WHAT_TO_DO}.\n"
        )
    rows = ctx.warehouse.rows("select * from marts.releases order by release_id desc limit %s", (last,))
    if not rows:
        typer.echo("Nothing is published yet; `lifehouse run` publishes the first release.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("release", "as of (UTC)", "published (UTC)", "run", "loads", "late sources", ""):
        table.add_column(name)
    for row in rows:
        state = "served" if row["is_published"] else ""
        if row["is_published"] and row["syncs_paused"]:
            state = "served; syncs are paused until the next publication"
        if row["withdrawn_at"]:
            state = f"withdrawn {row['withdrawn_at']:%Y-%m-%d %H:%M} by {row['withdrawn_by']}"
        if row["publish_reason"]:
            told = f"published by {row['published_by']} although it was held back: {row['publish_reason']}"
            state = "; ".join(filter(None, (state, told)))
        table.add_row(
            str(row["release_id"]),
            f"{row['as_of']:%Y-%m-%d %H:%M}",
            f"{row['published_at']:%Y-%m-%d %H:%M}",
            str(row["run_id"]),
            str(row["loads"]),
            "\n".join(late["sentence"].removeprefix("source ") for late in row["late_details"]),
            escape(state),
            style="bold green" if row["is_published"] else "dim" if row["withdrawn_at"] else None,
        )
    Console().print(table)


def publish(
    run: Annotated[int | None, typer.Argument(help="A run that was held. Default: the candidate.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why a run is served that waits for a late source; without personal values."),
    ] = None,
) -> None:
    """Serve a run that was held, by `run --hold` or for a late source; `diff published candidate` says what that changes."""
    from lifehouse import stations
    from lifehouse.context import Context
    from lifehouse.releases.held import candidate

    ctx = Context.current()
    number = candidate(ctx) if run is None else run
    release = stations.publish(ctx, number, by=getpass.getuser(), reason=reason)
    typer.echo(
        f"Release {release} is served. The syncs were not woken: `lifehouse sync <name>` pushes its segments."
    )


def rollback(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Serve the release before the published one again, and pause the syncs until the next publication."""
    from lifehouse.context import Context
    from lifehouse.releases.publish import previous
    from lifehouse.releases.publish import rollback as roll_back
    from lifehouse.warehouse.rights import TRANSFORM

    ctx = Context.current().acting_as(TRANSFORM)  # who makes views of marts must own them
    served, before = previous(ctx)
    if not yes:
        typer.confirm(f"Withdraw release {served} and serve release {before} again?", abort=True)
    roll_back(ctx, by=getpass.getuser())
    typer.echo(
        f"Release {before} is served, release {served} is withdrawn. "
        "The syncs are paused until the next publication; what they sent already stays until then."
    )
