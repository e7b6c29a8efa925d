"""``lifehouse status``, ``run``, ``report``, ``psql``, ``url`` and ``doctor``: looking at the house and running a night."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(status)
    app.command()(run)
    app.command()(report)
    app.command()(psql)
    app.command()(url)
    app.command()(doctor)


def status() -> None:
    """What is published, as of when, what failed and what is late."""
    from lifehouse.context import Context
    from lifehouse.report import status as page

    page.print_status(Context.current(), Console())


def run(
    as_of: Annotated[
        str | None,
        typer.Option(
            help="A day (its beginning, in the company's time zone) or an ISO time that the run speaks about. Default: now."
        ),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Load only this source; may be repeated. Default: all.")
    ] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build every model anew.")] = False,
    hold: Annotated[
        bool,
        typer.Option("--hold", help="Build and judge, but neither publish nor push; see diff and publish."),
    ] = False,
    past: Annotated[
        bool,
        typer.Option(
            "--past", help="Even if what is served speaks about a later instant: serve the past again."
        ),
    ] = False,
    summary: Annotated[bool, typer.Option(help="End with the summary of what the night found.")] = True,
) -> None:
    """One night: load, judge, build, judge, publish, push."""
    from lifehouse.context import Context
    from lifehouse.report import night

    night.run(
        Context.current(),
        Console(),
        as_of,
        source or None,
        full_refresh=full_refresh,
        summary=summary,
        hold=hold,
        past=past,
    )


def report(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write the page. Default: in the state folder."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only write the page.")] = False,
) -> None:
    """Print what the published release says, and write it as one self-contained HTML page."""
    from lifehouse.context import Context
    from lifehouse.report import html
    from lifehouse.report.summary import print_summary

    ctx = Context.current()
    if not quiet:
        print_summary(ctx, times=True)
    typer.echo(f"Report: {html.write(ctx, out)}")


def psql(
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this SQL and leave.")] = None,
) -> None:
    """A psql session on the warehouse; `select * from customers` reads the marts."""
    from lifehouse.cli import session
    from lifehouse.context import Context

    session.open_psql(Context.current(), command)


def url(
    password: Annotated[bool, typer.Option(help="With the password, so that a BI tool can connect.")] = True,
) -> None:
    """The warehouse's address, for a BI tool or a script; starts the embedded server if it does not run."""
    from lifehouse.cli import session
    from lifehouse.context import Context

    typer.echo(session.address(Context.current(), password=password))


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend the warehouse's roles, their grants and owners first.")
    ] = False,
) -> None:
    """What is missing or wrong on this machine and in this project, and what to do."""
    from lifehouse import doctor as examination
    from lifehouse.context import Context

    if not examination.print_findings(Context.current(), Console(), fix=fix):
        raise typer.Exit(1)
