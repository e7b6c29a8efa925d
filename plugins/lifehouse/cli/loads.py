"""``lifehouse loads``: what came in, what the raw gate made of it, and a person's word on it."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.console import Console

from lifehouse.cli.tables import table_of

loads = typer.Typer(
    help="Loads: what each source delivered and what the raw gate made of it; alone, it lists them.",
    invoke_without_command=True,
)
_COUNTS = ("received", "loaded", "same", "bad", "deleted")
_COLOURS = {"accepted": "green", "rejected": "red", "open": "yellow"}

SourceOption = Annotated[str | None, typer.Option("--source", help="only this source")]
LimitOption = Annotated[int, typer.Option("--limit", help="at most this many")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; kept with the load, and who said so")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(loads, name="loads")


@loads.callback()
def alone(context: typer.Context, source: SourceOption = None, limit: LimitOption = 20) -> None:
    """Loads: what each source delivered and what the raw gate made of it; alone, it lists them."""
    if context.invoked_subcommand is None:
        list_loads(source, limit)


@loads.command("list")
def list_loads(source: SourceOption = None, limit: LimitOption = 20) -> None:
    """The newest loads; of the records received, same were known already, bad ones were set aside."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    table = table_of("load", "source", "status", "opened (UTC)", *_COUNTS, "why")
    for row in inspection.loads(Context.current(), source, limit):
        colour = _COLOURS[row["status"]]
        counts = [f"{row[name]:,}" for name in ("received", "loaded", "unchanged", "quarantined", "deleted")]
        opened = f"{row['opened_at']:%Y-%m-%d %H:%M}"
        reason = (row["reason"] or "").split("\n")[0]
        reason = f"released: {reason}" if row["kind"] == "released" else reason
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
    came = f", released from load {head['origin_load_id']}" if head["origin_load_id"] else ""
    console.print(
        f"[bold]Load {load_id}[/] of [bold]{head['source']}[/]{came}: {head['status']} by {head['decided_by'] or '-'}"
    )
    if head["baselined_at"]:
        console.print(f"  part of the baseline since {head['baselined_at']:%Y-%m-%d}: its decision stands")
    for line in (head["reason"] or "").splitlines():
        console.print(f"  [red]{line}[/]")
    for title, rows in found.parts.items():
        if rows:
            table = table_of(*rows[0], title=title)
            for row in rows:
                table.add_row(*("" if value is None else str(value) for value in row.values()))
            console.print(table)


@loads.command()
def accept(load_id: int, reason: ReasonOption) -> None:
    """Accept a load in spite of the gate; the next run takes it in."""
    _decide(load_id, "accepted", reason)


@loads.command()
def reject(load_id: int, reason: ReasonOption) -> None:
    """Reject a load, also later: its source is read again, and the next run computes its customers without it."""
    _decide(load_id, "rejected", reason)


def _decide(load_id: int, decision: Any, reason: str) -> None:
    from lifehouse.context import Context
    from lifehouse.errors import LifehouseError
    from lifehouse.ingest import decisions

    if not reason.strip():
        raise LifehouseError("say why: a reason is kept with each decision")
    ctx = Context.current()
    source = decisions.find(ctx, load_id)["source"]
    changed = decisions.settle(ctx, load_id, decision, by=getpass.getuser(), reason=reason)
    word = "is now" if changed else "was already"
    Console().print(f"Load {load_id} of {source} {word} {decision}.")
