"""``lifehouse plan`` and ``lifehouse sync``: what a platform should hold, bringing it there, and what came of it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from lifehouse.cli.tables import table_of

Name = Annotated[str, typer.Argument(metavar="SYNC", help="The name of a file in dags/syncs, without .yml.")]
Customer = Annotated[
    str, typer.Argument(help="A customer_id; `select customer_id from customers` lists them.")
]
OnlyFailed = Annotated[
    bool, typer.Option("--only-failed", help="Only the rows that the platform refused before.")
]


class _OrRun(TyperGroup):
    """``lifehouse sync NAME`` is ``lifehouse sync run NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        is_command = bool(args) and args[0] in self.commands
        return super().resolve_command(ctx, args if is_command else ["run", *args])


sync = typer.Typer(
    cls=_OrRun,
    help="Bring a platform to the published segment (`sync NAME`); `log` and `explain` tell what came of it, `reconcile` "
    "what is there.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(plan)
    app.add_typer(sync, name="sync")


def plan(name: Name, only_failed: OnlyFailed = False) -> None:
    """What a sync would send now, how long it would take, and whether its guards let it; nothing is sent."""
    from lifehouse.activation import guards
    from lifehouse.activation.declaration import find_sync
    from lifehouse.activation.preview import preview
    from lifehouse.activation.show import show_plan
    from lifehouse.context import Context

    ctx = Context.current()
    order = find_sync(ctx.project, name)
    proposed = preview(ctx, order, only_failed=only_failed)
    findings = guards.examine(proposed.plan, order, only_failed=only_failed)
    show_plan(Console(), order, proposed, findings)
    if not all(finding.holds for finding in findings):
        raise typer.Exit(1)


@sync.command("run")
def run(name: Name, only_failed: OnlyFailed = False) -> None:
    """Bring a platform to the published segment; finishes first what a killed sync had in flight."""
    from lifehouse.activation.run import sync as run_sync
    from lifehouse.activation.show import show_result
    from lifehouse.context import Context

    ctx = Context.current()
    show_result(Console(), ctx.warehouse, run_sync(ctx, name, only_failed=only_failed))


@sync.command()
def log(name: Name, limit: Annotated[int, typer.Option("--limit", help="at most this many")] = 20) -> None:
    """The sync's runs, newest first: what was planned, confirmed, refused and kept back, in how many calls."""
    from lifehouse.activation import inspection
    from lifehouse.activation.declaration import find_sync
    from lifehouse.context import Context

    ctx, console = Context.current(), Console(highlight=False)
    found = inspection.runs(ctx, find_sync(ctx.project, name), limit)
    if not found:
        console.print(f"{name} has not run yet.")
        return
    table = table_of(
        "run",
        "began (UTC)",
        "result",
        "planned",
        "confirmed",
        "refused",
        "withdrawn",
        "calls",
        "seconds",
        "why",
    )
    for row in found:
        table.add_row(
            *(str(row["sync_run_id"]), f"{row['started_at']:%Y-%m-%d %H:%M}", row["status"]),
            f"+{row['adds']:,} ~{row['changes']:,} −{row['removes']:,}",
            *(f"{row[count]:,}" for count in ("confirmed", "refused", "withdrawn", "calls")),
            f"{row['seconds']:.1f}",
            escape(_why(row)),
        )
    console.print(table)


def _why(row: dict[str, Any]) -> str:
    if row["approved_by"] is None:
        return row["message"] or ""
    approved = (
        f"{', '.join(row['approved_guards'])} approved by {row['approved_by']} "
        f"({row['approved_at']:%Y-%m-%d %H:%M}): {row['reason']}"
    )
    return f"{row['message']}; {approved}" if row["message"] else approved


@sync.command()
def approve(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="why; kept with the approval, and who said so")],
    run_now: Annotated[bool, typer.Option("--run", help="and run it now")] = False,
) -> None:
    """Let the sync pass the guards that stop it now, for one run, no further than shown here."""
    from lifehouse.activation import approvals
    from lifehouse.activation.declaration import find_sync
    from lifehouse.activation.preview import preview
    from lifehouse.activation.show import show_plan
    from lifehouse.context import Context

    ctx, console = Context.current(), Console()
    order = find_sync(ctx.project, name)
    proposed = preview(ctx, order)
    asked = approvals.ask(ctx, order, proposed.plan)
    approvals.approve(ctx, asked.approval_id, by=getpass.getuser(), reason=reason)
    show_plan(console, order, proposed, asked.findings)
    console.print("Approved for the next run, as long as the plan is no worse than this.", highlight=False)
    if run_now:
        run(name)


@sync.command()
def pick(
    name: Name,
    customer: Customer,
    is_in: Annotated[bool, typer.Option("--in/--out", help="always in, or always out")],
    reason: Annotated[str, typer.Option("--reason", help="why; kept with the pick, and who said so")],
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="the first day (UTC) it no longer holds"),
    ] = None,
) -> None:
    """Have a customer always in the sync (a seed), or always out. Consent and suppressions still win."""
    from lifehouse.activation import picks as hands
    from lifehouse.activation.declaration import find_sync
    from lifehouse.context import Context

    ctx = Context.current()
    order, ends = find_sync(ctx.project, name), until.replace(tzinfo=UTC) if until else None
    hands.pick(ctx, order, customer, is_in=is_in, reason=reason, author=getpass.getuser(), until=ends)
    told = f" until {until:%Y-%m-%d}" if until else ""
    meaning = "in; consent and suppressions still win" if is_in else "out"
    Console(highlight=False).print(
        f"{customer} is picked {meaning}{told}. `lifehouse sync explain {name} {customer}`"
    )


@sync.command()
def unpick(name: Name, customer: Customer) -> None:
    """Let the sync's rules decide on the customer again."""
    from lifehouse.activation import picks as hands
    from lifehouse.activation.declaration import find_sync
    from lifehouse.context import Context

    ctx = Context.current()
    hands.unpick(ctx, find_sync(ctx.project, name), customer, author=getpass.getuser())
    Console(highlight=False).print(f"The rules of {name} decide on {customer} again.")


@sync.command()
def picks(name: Name) -> None:
    """Who is picked for the sync by hand, by whom, why and until when."""
    from lifehouse.activation import picks as hands
    from lifehouse.activation.declaration import find_sync
    from lifehouse.context import Context

    ctx = Context.current()
    table = table_of("customer", "is", "by", "since (UTC)", "until", "why")
    for row in hands.standing(ctx, find_sync(ctx.project, name)):
        table.add_row(
            *(
                row["customer_id"],
                "in" if row["is_in"] else "out",
                row["author"],
                f"{row['since']:%Y-%m-%d %H:%M}",
            ),
            f"{row['until']:%Y-%m-%d}" if row["until"] else "",
            escape(row["reason"]),
        )
    Console().print(table)


@sync.command()
def explain(
    name: Name,
    customer: Customer,
) -> None:
    """Why a customer is in, out, refused or held out there, and what the next sync does about it. Nothing personal."""
    from lifehouse.activation import inspection
    from lifehouse.activation.declaration import find_sync
    from lifehouse.context import Context

    ctx, console = Context.current(), Console(highlight=False)
    found = inspection.standing(ctx, find_sync(ctx.project, name), customer)
    console.print(f"[bold]{found.customer_id}[/] in the sync [bold]{name}[/]")
    for sentence in found.sentences:
        console.print(f"  {escape(sentence)}", soft_wrap=True)
    if found.sent:
        table = table_of("at (UTC)", "action", "result", "why", title="\nWhat was sent")
        for row in found.sent:
            table.add_row(
                f"{row['at']:%Y-%m-%d %H:%M:%S}", row["action"], row["status"], escape(row["reason"] or "")
            )
        console.print(table)


@sync.command()
def reconcile(
    name: Name,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Put what we believe right, for the next sync to act on; who is only there stays.",
        ),
    ] = False,
) -> None:
    """Read back who is at the platform, against what we believe. Sends nothing; ends with 1 if rows are missing there."""
    from lifehouse.activation.reconcile import reconcile as compare
    from lifehouse.activation.show import show_reconciled
    from lifehouse.context import Context

    found = compare(Context.current(), name, repair=repair)
    show_reconciled(Console(highlight=False), found, is_repaired=repair)
    if found.only_here and not repair:
        raise typer.Exit(1)
