"""``lifehouse platform``: which platforms there are, and whether a declaration is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lifehouse.cli.tables import table_of

platform = typer.Typer(help="The platforms that a sync may name; check a declaration.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(platform, name="platform")


@platform.command("list")
def listed() -> None:
    """Every platform, and what it was tested against."""
    from lifehouse.activation.platforms import IN_PYTHON, catalog
    from lifehouse.project import Project

    root = Project.current().root
    table = table_of("platform", "what it is", "tested against")
    for name, (what, tested) in IN_PYTHON.items():
        table.add_row(name, what, tested)
    for name in catalog.files(root):
        if declared := catalog.find(name, root):
            table.add_row(name, declared.description, declared.tested)
    Console(highlight=False).print(table)


@platform.command()
def check(
    file: Annotated[Path, typer.Argument(help="the declaration", exists=True, dir_okay=False)],
    contract: Annotated[
        list[Path] | None,
        typer.Option(
            "--contract", help="the maker's OpenAPI 3 file; may be given several times", exists=True
        ),
    ] = None,
) -> None:
    """Validate a platform's declaration and show the requests it makes; with --contract, prove them against it."""
    from lifehouse.activation.platforms import check as checking
    from lifehouse.activation.platforms.declaration import load

    declared, console = load(file), Console(highlight=False)
    found = checking.against(declared, contract) if contract else list(checking.samples(declared))
    for sample in found:
        sent = sample.prepared
        verdict = (
            f"[red]refused[/red]: {sample.problem}" if sample.problem else "accepted" if contract else ""
        )
        console.print(f"{sample.call}: {sent.method} {sent.path}  {verdict}".rstrip(), soft_wrap=True)
        if not contract and sent.content:
            console.print(f"    {sent.content.decode()}", soft_wrap=True, markup=False)
    problems = sum(sample.problem is not None for sample in found)
    console.print(
        f"{declared.platform}: the declaration is sound"
        + (f"; {len(found) - problems} of {len(found)} requests are accepted" if contract else "")
    )
    raise typer.Exit(1 if problems else 0)
