"""``lifehouse loads``, ``quarantine``, ``accept``, ``reject``: what came in, what was set aside, and a person's word on it."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

loads = typer.Typer(
    help="Loads: what each source delivered and what the raw gate made of it.", no_args_is_help=True
)
quarantine = typer.Typer(
    help="Records that were set aside, with the reason; values are masked.", no_args_is_help=True
)
_COUNTS = ("received", "loaded", "same", "bad")
_COLOURS = {"accepted": "green", "rejected": "red", "open": "yellow"}

SourceOption = Annotated[str | None, typer.Option("--source", help="only this source")]
LimitOption = Annotated[int, typer.Option("--limit", help="at most this many")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; kept with the load")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(loads, name="loads")
    app.add_typer(quarantine, name="quarantine")
    app.command()(accept)
    app.command()(reject)


@loads.command("list")
def list_loads(source: SourceOption = None, limit: LimitOption = 20) -> None:
    """The newest loads; of the records received, same were known already, bad ones were set aside."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    table = _table("load", "source", "status", "opened (UTC)", *_COUNTS, "why")
    for row in inspection.loads(Context.current(), source, limit):
        colour = _COLOURS[row["status"]]
        counts = [f"{row[name]:,}" for name in ("received", "loaded", "unchanged", "quarantined")]
        opened = f"{row['opened_at']:%Y-%m-%d %H:%M}"
        reason = (row["reason"] or "").split("\n")[0]
        table.add_row(
            str(row["load_id"]), row["source"], f"[{colour}]{row['status']}[/]", opened, *counts, reason
        )
    Console().print(table)


@loads.command("show")
def show_load(load_id: int) -> None:
    """One load: its tables, files, changes of shape, what was set aside, and what did not hold."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    found = inspection.load(Context.current(), load_id)
    console = Console(highlight=False)
    head = found.load
    console.print(
        f"[bold]Load {load_id}[/] of [bold]{head['source']}[/]: {head['status']} by {head['decided_by'] or '-'}"
    )
    for line in (head["reason"] or "").splitlines():
        console.print(f"  [red]{line}[/]")
    for title, rows in found.parts.items():
        if rows:
            table = _table(*rows[0], title=title)
            for row in rows:
                table.add_row(*("" if value is None else str(value) for value in row.values()))
            console.print(table)


@quarantine.command("list")
def list_quarantine(source: SourceOption = None, limit: LimitOption = 40) -> None:
    """How many records each rule set aside, newest loads first."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    table = _table("load", "source", "status", "table", "column", "reason", "records")
    for row in inspection.quarantined(Context.current(), source, limit):
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


@quarantine.command("show")
def show_quarantine(load_id: int, limit: LimitOption = 20) -> None:
    """The records of a load that were set aside; letters read as a, digits as 9."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    console = Console(highlight=False)
    for record in inspection.records(Context.current(), load_id, limit):
        place = f"{record.table}.{record.column}" if record.column else record.table
        console.print(f"[bold]{place}[/]: {record.reason}")
        console.print("  " + ", ".join(f"[dim]{name}[/] {value}" for name, value in record.payload.items()))


def accept(load_id: int, reason: ReasonOption = "") -> None:
    """Accept a load in spite of the gate; the next run takes it in."""
    _decide(load_id, "accepted", reason)


def reject(load_id: int, reason: ReasonOption = "") -> None:
    """Reject a load, also later: its source is read again, and the next run computes its customers without it."""
    _decide(load_id, "rejected", reason)


def _decide(load_id: int, decision: Any, reason: str) -> None:
    from lifehouse.context import Context
    from lifehouse.ingest import decisions

    ctx = Context.current()
    source = decisions.find(ctx, load_id)["source"]
    changed = decisions.settle(ctx, load_id, decision, by=getpass.getuser(), reason=reason or None)
    word = "is now" if changed else "was already"
    Console().print(f"Load {load_id} of {source} {word} {decision}.")


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for column in columns:
        is_number = column in (*_COUNTS, "unchanged", "quarantined", "records", "rows", "size_bytes")
        table.add_column(column, justify="right" if is_number else "left", no_wrap=column != "why")
    return table
