"""``lifehouse privacy columns``: every column that holds something personal, from raw to the platforms."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(name="privacy", help="Personal data: where it is.", no_args_is_help=True)
    group.command()(columns)
    group.callback()(_group)
    app.add_typer(group, name="privacy")


def _group() -> None:
    """A group stays a group with one command."""


def columns() -> None:
    """The personal columns by the tags in YAML, from raw to the platforms: masked for BI, reached by erasure."""
    from lifehouse.context import Context
    from lifehouse.privacy import columns as found

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("where", "column", "kind"):
        table.add_column(name)
    place = ""
    for tag in found.everywhere(Context.current()):
        table.add_row("" if tag.place == place else tag.place, tag.column, tag.kind)
        place = tag.place
    Console().print(table)
