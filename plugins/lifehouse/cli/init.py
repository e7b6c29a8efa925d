"""``lifehouse init``: from a folder of CSV files or a database to a project that can run."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lifehouse.errors import ConfigError

if TYPE_CHECKING:
    from lifehouse.scaffold.project import Plan


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(help="The project folder to make.")],
    files: Annotated[Path | None, typer.Option(help="A folder of CSV files, each with a header.")] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="A database's address, or ${NAME} of the environment variable that holds it.", metavar="URL"
        ),
    ] = None,
    schema: Annotated[str | None, typer.Option(help="The schema of the database's tables.")] = None,
    name: Annotated[str | None, typer.Option(help="The source's name, lowercase. Default: shop.")] = None,
    company: Annotated[str | None, typer.Option(help="The company's name, for reports.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="ISO 4217 code of the amounts and of the reports, e.g. EUR.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="IANA zone of the source's times and of the reports.")
    ] = None,
) -> None:
    """Draft a project from CSV files or a database: its declaration and staging models, with every guess explained."""
    from lifehouse.ingest.declaration import load_source
    from lifehouse.project import Project
    from lifehouse.scaffold import database as databases
    from lifehouse.scaffold import files as folders
    from lifehouse.scaffold import project

    if (files is None) == (database is None):
        raise ConfigError("name either a folder of CSV files (--files FOLDER) or a database (--database URL)")
    name = name or "shop"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,27}", name):
        raise ConfigError(
            f"--name {name!r}: use at most 28 lowercase letters, digits and _, beginning with a letter"
        )
    found = folders.look(files) if files else databases.look(_from_environment(str(database)), schema)
    company = company or _ask("The company's name", folder.resolve().name, "--company")
    currency = (currency or _ask("Currency of the amounts (ISO 4217)", None, "--currency")).upper()
    time_zone = time_zone or _ask("Time zone (IANA)", "UTC", "--time-zone")
    _validate(currency, time_zone)

    made = project.plan(found, name, company, currency, time_zone)
    written = project.write(made, folder)
    _ = Project(folder).company
    load_source(folder / "dags" / "sources" / f"{name}.yml")
    _tell(made, folder, written)


def _from_environment(address: str) -> str:
    """The address itself, or the value of the variable it names: a password then stays off the command line."""
    from lifehouse import config

    return str(config.substitute(address))


def _ask(question: str, default: str | None, flag: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(question, default=default))
    if default is None:
        raise ConfigError(f"{flag} is needed")
    return default


def _validate(currency: str, zone: str) -> None:
    from zoneinfo import ZoneInfo

    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ConfigError(f"--currency {currency!r}: use the three letters of ISO 4217, e.g. EUR")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        raise ConfigError(f"--time-zone {zone!r}: use an IANA name such as Europe/Berlin") from None


def _tell(made: Plan, folder: Path, written: list[Path]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]Drafted {escape(str(folder))}[/]: {len(written)} files.\n")
    for guess in made.guesses:
        rows = f", {guess.table.rows_seen:,} rows looked at" if guess.table.rows_seen else ""
        files = f" from {guess.table.file_count:,} files" if guess.table.file_count > 1 else ""
        console.print(f"  [cyan]{guess.table.name}[/]{files}: looks like {guess.kind.value}{rows}")
    console.print(f"\nStaging models in dbt_project/models/staging/{made.name}, please check:")
    for draft in made.drafts:
        console.print(f"  [green]stg_{made.name}__{draft.contract}.sql[/]")
        for check in draft.checks:
            console.print(f"    [yellow]•[/] {escape(check)}")
    missing = [
        table
        for table in ("profiles", "orders", "order_lines")
        if table not in {draft.contract for draft in made.drafts}
    ]
    if missing:
        console.print(
            f"\n[yellow]Not recognised: {', '.join(missing)}.[/] Write stg_{made.name}__<table>.sql for what the data has; "
            "docs/add-a-source.md lists the tables and their columns."
        )
    steps = [f"read dags/sources/{made.name}.yml and the models; correct what was guessed wrong"]
    if made.found.kind == "sql":
        steps.append(f"export {made.variable}='postgresql://...'   (the address stays out of the files)")
    newest = made.newest_day
    steps.append(
        f"cd {folder} && lifehouse doctor && lifehouse run{f' --as-of {newest + timedelta(days=1)}' if newest else ''}"
    )
    console.print("\n[bold]Next[/]")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {escape(step)}")
    if newest:
        console.print(
            f"     [dim]The newest order seen is of {newest}; a run without --as-of speaks about now.[/]"
        )
