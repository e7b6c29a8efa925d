"""``lifehouse suppress``: who is not to be sent anything, whatever they consented to."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lifehouse.cli.tables import table_of

suppress = typer.Typer(
    help="Who is not to be sent anything, whatever they consented to: add, remove, list. Kept as keyed hashes.",
    no_args_is_help=True,
)
KindOption = Annotated[
    str, typer.Option("--kind", help="of the identifier: customer, email, phone, loyalty_card or id:<source>")
]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", help="email, sms, phone, post or ads; without it every channel")
]
AccountOption = Annotated[
    str | None, typer.Option("--account", help="one platform account; without it all of them")
]
Identifier = Annotated[
    str,
    typer.Argument(
        metavar="WHO", help="An identifier, or @FILE with one a line (@- reads them from the input)."
    ),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(suppress, name="suppress")


@suppress.command()
def add(
    who: Identifier,
    reason: Annotated[str, typer.Option("--reason", help="why; kept with it, and who said so")],
    kind: KindOption = "email",
    channel: ChannelOption = None,
    account: AccountOption = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="the first day (UTC) it no longer holds"),
    ] = None,
) -> None:
    """Keep people out of every sync from now on; the next one of each removes them where they are."""
    from lifehouse.activation import suppressions
    from lifehouse.context import Context

    added = suppressions.add(
        Context.current(),
        kind,
        _given(who),
        reason=reason,
        author=getpass.getuser(),
        channel=channel,
        account=account,
        until=until.replace(tzinfo=UTC) if until else None,
    )
    typer.echo(f"{added:,} suppressed.")


@suppress.command()
def remove(
    who: Identifier, kind: KindOption = "email", channel: ChannelOption = None, account: AccountOption = None
) -> None:
    """End their suppressions, of every channel and account unless one is named; kept as lifted, with your name."""
    from lifehouse.activation import suppressions
    from lifehouse.context import Context

    lifted = suppressions.lift(
        Context.current(), kind, _given(who), author=getpass.getuser(), channel=channel, account=account
    )
    typer.echo(f"{lifted:,} lifted.")


@suppress.command("list")
def show() -> None:
    """What stands: how many entries, by whom, why, until when. No identifier but a customer's id."""
    from lifehouse.activation import suppressions
    from lifehouse.context import Context

    table = table_of("since (UTC)", "entries", "by", "of", "channel", "account", "until", "why")
    for row in suppressions.standing(Context.current()):
        until = "newer grant" if row["origin"] == "platform" else ""
        table.add_row(
            *(f"{row['since']:%Y-%m-%d %H:%M}", f"{row['entries']:,}", row["author"]),
            row["customer_id"] or row["identifier_kind"],
            *(row["channel"] or "all", row["account"] or "all"),
            f"{row['until']:%Y-%m-%d}" if row["until"] else until,
            escape(row["reason"]),
        )
    Console().print(table)


def _given(who: str) -> list[str]:
    if not who.startswith("@"):
        return [who]
    text = sys.stdin.read() if who == "@-" else Path(who[1:]).read_text(encoding="utf-8")
    return text.splitlines()
