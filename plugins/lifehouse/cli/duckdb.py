"""``lifehouse duckdb``: the core and the lifecycles built by DuckDB, in a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(duckdb)


def duckdb(
    file: Annotated[Path, typer.Argument(help="The file; made if missing, its tables are replaced.")],
    compare: Annotated[
        bool, typer.Option("--compare", help="Hold every table against Postgres', row by row.")
    ] = False,
) -> None:
    """Build the timeline and the lifecycles with DuckDB, in a file beside the warehouse. It holds personal data."""
    from rich.console import Console

    from lifehouse.build import duck
    from lifehouse.cli.tables import table_of
    from lifehouse.context import Context
    from lifehouse.errors import LifehouseError

    ctx, console = Context.current(), Console(highlight=False)
    slot = ctx.warehouse.value("select slot from control.published")
    if slot is None:
        raise LifehouseError("nothing is published yet; `lifehouse run` builds the first release")
    began = time.perf_counter()
    rows = duck.carry(ctx, file)
    console.print(f"{rows:,} rows carried over in {time.perf_counter() - began:.1f} s")
    table = table_of("model", "seconds")
    results = duck.build(ctx, file)
    for result in results:
        table.add_row(result.name, f"{result.seconds:.2f}")
    console.print(table)
    console.print(f"built in {sum(result.seconds for result in results):.1f} s: {file}")
    if not compare:
        return
    found = duck.compare(ctx, file, slot)
    table = table_of("table", "rows", "only Postgres has", "only DuckDB has")
    for one in found:
        table.add_row(one.name, f"{one.rows:,}", f"{one.only_postgres:,}", f"{one.only_duckdb:,}")
    console.print(table)
    if differing := [one.name for one in found if one.only_postgres or one.only_duckdb]:
        raise LifehouseError(
            f"the engines differ in {', '.join(differing)}; if a load was decided since the published release, "
            "`lifehouse run` and compare again"
        )
    console.print("Both engines have the same rows.")
