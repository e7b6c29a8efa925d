"""``lifehouse quarantine``: records that were set aside, and a person's word on them; ``lifehouse prune``."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.console import Console

from lifehouse.cli.loads import LimitOption, SourceOption
from lifehouse.cli.tables import table_of

quarantine = typer.Typer(
    help="Records that were set aside, with the reason; values are masked. Alone, it lists them.",
    invoke_without_command=True,
)

TableOption = Annotated[str | None, typer.Option("--table", help="<source>.<table>, as listed")]
LoadOption = Annotated[int | None, typer.Option("--load", help="the load that they came with")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="what they were set aside for, as listed")]
IdOption = Annotated[list[int] | None, typer.Option("--id", help="a record's number, as shown; repeat it")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; kept with each record, and who said so")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="column=value, for each of the records; repeat it")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(quarantine, name="quarantine")
    app.command()(prune)


@quarantine.callback()
def alone(context: typer.Context, source: SourceOption = None, limit: LimitOption = 40) -> None:
    """Records that were set aside, with the reason; values are masked. Alone, it lists them."""
    if context.invoked_subcommand is None:
        list_quarantine(source, limit)


@quarantine.command("list")
def list_quarantine(
    source: SourceOption = None,
    limit: LimitOption = 40,
    waiting: Annotated[bool, typer.Option("--waiting", help="only where some are undecided")] = False,
) -> None:
    """How many records each rule set aside, newest loads first, and what was decided on them."""
    from lifehouse.context import Context
    from lifehouse.ingest import inspection

    names = ("records", "waiting", "released", "discarded")
    table = table_of("load", "source", "status", "table", "column", "reason", *names)
    for row in inspection.quarantined(Context.current(), source, limit, waiting=waiting):
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
        decided = f" [dim]({record.decision})[/]" if record.decision else ""
        console.print(f"[bold]{record.number}[/] [bold]{place}[/]: {record.reason}{decided}")
        console.print("  " + ", ".join(f"[dim]{name}[/] {value}" for name, value in record.payload.items()))


@quarantine.command("release")
def release(
    reason: ReasonOption,
    source: SourceOption = None,
    table: TableOption = None,
    load: LoadOption = None,
    rule: RuleOption = None,
    id: IdOption = None,
    set: SetOption = None,
) -> None:
    """Accept records in spite of the rule that set them aside; the next run takes them in, as old as they are."""
    from lifehouse.ingest import quarantine as decisions

    corrections = dict(_pair(item) for item in set or [])
    ctx, chosen = _chosen(source, table, load, rule, id)
    decided = decisions.release(ctx, chosen, by=getpass.getuser(), reason=reason, corrections=corrections)
    loads = ", ".join(map(str, decided.loads))
    _tell("released", decided, f" as load {loads}; the next run takes them in" if loads else "")


@quarantine.command("discard")
def discard(
    reason: ReasonOption,
    source: SourceOption = None,
    table: TableOption = None,
    load: LoadOption = None,
    rule: RuleOption = None,
    id: IdOption = None,
) -> None:
    """Say that records will not be released; they stay, and are counted as discarded."""
    from lifehouse.ingest import quarantine as decisions

    ctx, chosen = _chosen(source, table, load, rule, id)
    _tell("discarded", decisions.discard(ctx, chosen, by=getpass.getuser(), reason=reason), "")


def prune(source: SourceOption = None) -> None:
    """Replace what is older than the declared retention by a baseline; no answer changes by it."""
    from lifehouse import stations
    from lifehouse.context import Context

    done = stations.prune(Context.current(), source)
    if not done:
        Console().print("Nothing is due: no table has loads older than its declared retention.")
        return
    table = table_of("table", "records", "quarantined", "loads")
    for row in done:
        table.add_row(row.table, f"{row.records:,}", f"{row.quarantined:,}", f"{row.loads:,}")
    Console().print(table)


def _chosen(
    source: str | None, table: str | None, load: int | None, rule: str | None, ids: list[int] | None
) -> tuple[Any, Any]:
    """The context and what the options select; a person has to narrow it by a load, table, rule or id."""
    from lifehouse.context import Context
    from lifehouse.errors import LifehouseError
    from lifehouse.ingest import decisions
    from lifehouse.ingest.quarantine import Selection

    if load is None and table is None and rule is None:
        raise LifehouseError("say which records: --load, --table, --rule, or --table with --id")
    ctx = Context.current()
    if table and "." in table:
        source, table = table.split(".", 1)
    if load is not None:
        source = decisions.find(ctx, load)["source"]
    if source is None:
        raise LifehouseError("say which source: --source, --load, or --table <source>.<table>")
    return ctx, Selection(source, table, load, rule, ids)


def _pair(item: str) -> tuple[str, str]:
    from lifehouse.errors import LifehouseError

    name, equals, value = item.partition("=")
    if not equals:
        raise LifehouseError(f"--set takes column=value; {name!r} has no value")
    return name.strip(), value


def _tell(word: str, decided: Any, more: str) -> None:
    places = ", ".join(f"{count:,} of {table}" for table, count in decided.tables.items())
    if not places:
        Console().print(f"Nothing was {word}: no such record waits.")
        return
    Console().print(f"{decided.records:,} records were {word} ({places}){more}.")
