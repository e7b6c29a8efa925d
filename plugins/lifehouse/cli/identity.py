"""``lifehouse identity``: what matched and what did not, and a person's word on who is who."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.console import Console

from lifehouse.cli.tables import table_of

identity = typer.Typer(
    help="Who is who: what records are matched on, what not and why; a person's word on two records.",
    invoke_without_command=True,
)
_RECORD = "SOURCE:KEY, or a customer_id (its first record)"

ReasonOption = Annotated[str, typer.Option("--reason", help="why; kept with the decision, and who said so")]
One = Annotated[str, typer.Argument(help=_RECORD)]
Other = Annotated[str, typer.Argument(help=_RECORD)]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(identity, name="identity")


@identity.callback()
def alone(context: typer.Context) -> None:
    """Who is who: what records are matched on, what not and why; a person's word on two records."""
    if context.invoked_subcommand is not None:
        return
    from lifehouse.context import Context
    from lifehouse.identity import inspection

    ctx, console = Context.current(), Console(highlight=False)
    counts = inspection.summary(ctx)
    console.print(
        f"{counts['records']:,} records are {counts['customers']:,} customers, {counts['of_several_records']:,} of them of "
        f"several records; {counts['merged']:,} ids were merged into older ones."
    )
    rows = inspection.unmatched(ctx)
    if not rows:
        console.print("Every identifier is matched on.")
        return
    table = table_of("source", "identifier", "not matched on because", "identifiers", "records")
    for row in rows:
        table.add_row(
            row["source"], row["kind"], row["reason"], f"{row['identifiers']:,}", f"{row['records']:,}"
        )
    console.print(table)


@identity.command()
def cut(
    limit: Annotated[int, typer.Option("--limit", help="at most this many")] = 20,
    values: Annotated[
        bool, typer.Option("--values", help="print them as they are, not only their shape")
    ] = False,
) -> None:
    """Identifiers that too many records share, or that would join two who are apart: the most shared first."""
    from lifehouse.context import Context
    from lifehouse.identity import inspection

    table = table_of("identifier", "value", "why", "records")
    for row in inspection.cut(Context.current(), limit, values=values):
        table.add_row(row["kind"], row["identifier"], row["why"], f"{row['records']:,}")
    Console().print(table)


@identity.command()
def decisions() -> None:
    """What people decided on pairs of records, and whether it is in effect."""
    from lifehouse.context import Context
    from lifehouse.identity import decisions as words

    table = table_of("decided (UTC)", "by", "verdict", "record", "record", "state", "why")
    for each in words.standing(Context.current()):
        names = [":".join(record) for record in each.records]
        table.add_row(
            f"{each.decided_at:%Y-%m-%d %H:%M}",
            each.decided_by,
            each.verdict,
            *names,
            each.state,
            each.reason,
        )
    Console().print(table)


@identity.command()
def same(one: One, other: Other, reason: ReasonOption) -> None:
    """Two records are one person, whatever they share; from the next run on."""
    _decide("same", one, other, reason)


@identity.command()
def apart(one: One, other: Other, reason: ReasonOption) -> None:
    """Two records are two people, whatever joins them, third records too; from the next run on."""
    _decide("apart", one, other, reason)


@identity.command()
def withdraw(one: One, other: Other, reason: ReasonOption) -> None:
    """Take back the word on two records: the rules decide again, from the next run on."""
    _decide("withdrawn", one, other, reason)


def _decide(verdict: str, one: str, other: str, reason: str) -> None:
    from lifehouse.context import Context
    from lifehouse.identity import decisions as words

    meaning = {"same": "are one person", "apart": "are two people", "withdrawn": "are left to the rules"}
    pair = words.decide(Context.current(), verdict, one, other, by=getpass.getuser(), reason=reason)  # type: ignore[arg-type]
    first, second = (":".join(record) for record in pair)
    Console(highlight=False, soft_wrap=True).print(
        f"{first} and {second} {meaning[verdict]}, from the next run on."
    )
