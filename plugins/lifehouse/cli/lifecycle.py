"""``lifehouse explain`` and ``lifehouse lifecycle``: a customer's story; is a lifecycle's file right, and what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(explain)
    group = typer.Typer(help="Lifecycles: their declarations.", no_args_is_help=True)
    group.command()(check)
    group.command()(preview)
    app.add_typer(group, name="lifecycle")


def explain(
    customer: Annotated[
        str, typer.Argument(help="A customer_id; `select customer_id from customers` lists them.")
    ],
    lifecycle: Annotated[str | None, typer.Option(help="Only this lifecycle. Default: all.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="A day (its beginning, in the company's time zone) or an ISO time, past or to come. "
            "Default: the published release's instant.",
        ),
    ] = None,
) -> None:
    """One customer's story: what happened, which stage since when and why, what comes if nothing does. Nothing personal."""
    from lifehouse.context import Context
    from lifehouse.lifecycles import explain, tell
    from lifehouse.report.night import instant

    ctx = Context.current()
    asked = instant(as_of, ctx.project.company.time_zone) if as_of is not None else None
    found = explain.stories(ctx, customer, lifecycle, asked)
    blocks = [
        tell.heading(customer, found[0]),
        tell.events(explain.happened(ctx, customer, found[0].as_of)),
        *(tell.lines(story) for story in found),
    ]
    typer.echo("\n\n".join("\n".join(block) for block in blocks))
    typer.echo("\n> where they stand, ? scheduled if nothing happens. Times are UTC.")


def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Lifecycle files. Default: all of the project.")
    ] = None,
) -> None:
    """Validate lifecycle files; mistakes are told with file, line and the nearest right spelling."""
    from lifehouse.lifecycles.declaration import lifecycle_files, lifecycles, load
    from lifehouse.lifecycles.measures import waits
    from lifehouse.lifecycles.rule_words import in_words
    from lifehouse.project import Project

    project = Project.current()
    own = project.company.windows
    found = [load(path, own.get(path.stem)) for path in files] if files else lifecycles(project)
    for path, declared in zip(files or lifecycle_files(project), found, strict=True):
        named = waits([stage.rule for stage in declared.stages if stage.rule])
        events = ", ".join(sorted({wait.event_type for wait in named}))
        days = ", ".join(str(days) for days in sorted({wait.days for wait in named} - {0}))
        typer.echo(f"{path}: right. {len(declared.stages)} stages: {', '.join(declared.order)}")
        typer.echo("  rules tried in this order:")
        for stage in declared.tried:
            typer.echo(f"    {stage.stage}: {in_words(stage.rule)}")
        typer.echo(
            f"  read events: {events or 'none'}; days after which a stage may change by itself: {days or 'none'}"
        )


def preview(
    file: Annotated[Path, typer.Argument(help="A lifecycle's file, changed or new.")],
) -> None:
    """How a lifecycle's file would move the stage counts of the published release. Nothing is written."""
    from lifehouse.context import Context
    from lifehouse.lifecycles import preview as previews
    from lifehouse.lifecycles.declaration import load

    ctx = Context.current()
    declared = load(file, ctx.project.company.windows.get(file.stem))
    found = previews.preview(ctx, declared)
    typer.echo(f"{file} as of {found.as_of:%Y-%m-%d %H:%M:%S} UTC, on the timeline as core has it now")
    for line in previews.lines(found):
        typer.echo(line)
