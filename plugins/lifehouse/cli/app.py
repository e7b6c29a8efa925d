"""The root of the command line: mounts each file's commands, sorts them into panels, and tells errors to a person."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
import warnings
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lifehouse.errors import GateClosed, LifehouseError, ReleaseHeld

_HELP = "\n\n".join(  # one line a paragraph: typer keeps line breaks
    (
        "Who each customer is, where they stand, what changed them: a customer-lifecycle warehouse.",
        "Every night, [bold]run[/bold] loads the sources, judges them, builds the marts into the idle one of two copies, "
        "judges those, publishes them by one row and pushes the segments. Behind a closed gate nothing changes: "
        "readers keep the last release, and nothing is sent.",
        "Begin with [bold]demo[/bold] (a whole company) or [bold]init[/bold] (your own data), then [bold]status[/bold]. "
        "If something is wrong, ask [bold]doctor[/bold].",
    )
)
_EPILOG = (
    "[dim]State lives in LIFEHOUSE_HOME (default .lifehouse in the project folder); LIFEHOUSE_PROJECT names another project; "
    "LIFEHOUSE_WAREHOUSE_URL any Postgres 16+ instead of the embedded one.[/dim]"
)

#: Files of this folder that have ``register(app)``. They import what is heavy inside their commands.
_FILES = (
    "init",
    "status",
    "service",
    "loads",
    "quarantine",
    "lifecycle",
    "releases",
    "past",
    "sync",
    "suppress",
    "backup",
    "alerts",
    "privacy",
    "identity",
    "duckdb",
    "platform",
)

#: Panels of ``--help`` in order, each with its commands in order; a command that is not named here keeps its own panel.
_PANELS = {
    "Start": ("demo", "init", "up", "down", "clean", "doctor"),
    "Every night": ("status", "run", "report"),
    "Look": (
        "psql",
        "url",
        "airflow",
        "explain",
        "loads",
        "quarantine",
        "releases",
        "diff",
        "alerts",
        "lifecycle",
        "privacy",
        "duckdb",
    ),
    "The past": ("backfill", "as-known", "scratch"),
    "Decide": ("publish", "rollback", "identity"),
    "Keep": ("backup", "restore", "prune"),
    "Act": ("plan", "sync", "suppress", "platform"),
}


def build() -> typer.Typer:
    """The whole application."""
    app = typer.Typer(
        name="lifehouse",
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=_HELP)(_options)
    for name in _FILES:
        importlib.import_module(f"lifehouse.cli.{name}").register(app)
    _arrange(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lifehouse {version('lifehouse')}")
        raise typer.Exit


def _options(
    _: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options before any command."""


def _arrange(app: typer.Typer) -> None:
    """Give every command its panel, and put panels and commands in the order of ``_PANELS``."""
    place = {
        name: (order, index, panel)
        for order, (panel, names) in enumerate(_PANELS.items())
        for index, name in enumerate(names)
    }

    def key(info: Any) -> tuple[int, int]:
        return place.get(_name(info), (len(_PANELS), 0, ""))[:2]

    every: list[Any] = [*app.registered_commands, *app.registered_groups]
    for info in every:
        if _name(info) in place:
            info.rich_help_panel = place[_name(info)][2]
    app.registered_commands.sort(key=key)
    app.registered_groups.sort(key=key)


def _name(info: Any) -> str:
    group = getattr(info, "typer_instance", None)
    names = (info.name, group.info.name if group else None, getattr(info.callback, "__name__", None))
    return next((name.replace("_", "-") for name in names if isinstance(name, str)), "")


def tell(error: LifehouseError) -> None:
    """Write an error for a person: red, without a traceback; a closed gate lists what did not hold."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if isinstance(error, ReleaseHeld):
        console.print(
            f"[bold yellow]{escape(error.subject.capitalize())} is held back; it is built and sound.[/]"
        )
        for failure in error.failures:
            console.print(f"[yellow] • {escape(failure)}[/]")
        console.print("[yellow]What was served before is still served; nothing was pushed.[/]")
        return
    if isinstance(error, GateClosed):
        console.print(f"[bold red]The {escape(error.gate)} gate closed for {escape(error.subject)}.[/]")
        for failure in error.failures:
            console.print(f"[red] • {escape(failure)}[/]")
        console.print("[red]Nothing right of the gate changed: what was served before is still served.[/]")
        return
    console.print(f"[bold red]Error:[/] [red]{escape(str(error))}[/]")


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 an error told in words, 2 wrong usage."""
    gc.set_threshold(50_000)  # as `collecting_seldom`, for all of the process: imports make many objects, too
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # a library's, harmless
    handler = (
        logging.StreamHandler()
    )  # libraries speak up from warnings on; what a command has to say it prints
    handler.setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler], format="%(name)s: %(message)s")
    try:
        build()()
    except LifehouseError as error:
        tell(error)
        sys.exit(1)
    except Exception as error:  # its text, and those of its causes, may quote customers
        import traceback

        from lifehouse.redaction import described

        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
        tell(LifehouseError(f"not foreseen, please report it with the lines above: {described(error)}"))
        sys.exit(1)
