"""``lifehouse diff``, ``as-known``, ``backfill`` and ``scratch``: comparing builds, and answers about the past."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

scratch = typer.Typer(
    help="Scratch builds: answers about the past, beside what is served.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(diff)
    app.command("as-known")(as_known)
    app.command()(backfill)
    app.add_typer(scratch, name="scratch")


_SIDE = "published, previous, candidate, a release's number, run:<number>, or a scratch build (<name>[@<instant>])"


def diff(
    a: Annotated[str, typer.Argument(help=f"From: {_SIDE}.")],
    b: Annotated[str, typer.Argument(help="To: likewise.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for machines.")] = False,
    ids: Annotated[
        bool, typer.Option("--ids", help="With up to 20 customer ids for each kind of change.")
    ] = False,
) -> None:
    """What differs between two builds of the marts: history, rows, revenue, stages, segments. Counts, nothing personal."""
    from lifehouse.context import Context
    from lifehouse.diff import words
    from lifehouse.diff.compare import compare
    from lifehouse.diff.sides import resolve

    ctx = Context.current()
    err = Console(stderr=True, highlight=False)
    found = compare(ctx, resolve(ctx, a, err.print), resolve(ctx, b, err.print), ids=ids)
    typer.echo(json.dumps(words.as_json(found), default=str, indent=2) if as_json else words.told(found))


def as_known(
    run: Annotated[int, typer.Argument(help="The run; `lifehouse releases` shows which run made a release.")],
    into: Annotated[
        str | None, typer.Option("--into", help="Name of the scratch build. Default: run_<number>.")
    ] = None,
) -> None:
    """Rebuild what was believed at a run, from the loads that were accepted then, into a scratch schema."""
    from lifehouse import stations
    from lifehouse.context import Context

    known = stations.as_known(Context.current(), run, into, say=lambda step: typer.echo(f"  {step} ..."))
    typer.echo(
        f"What was believed at run {run} (as of {known.run.as_of:%Y-%m-%d %H:%M} UTC, {len(known.run.loads)} loads) "
        f"{'is' if known.rebuilt else 'was already'} in the schema {known.scratch.schema}."
    )
    if known.same_code:
        typer.echo("The code is the same as then.")
    else:
        typer.echo(
            f"The code is not the same as then: {known.scratch.fingerprint} now, {known.run.fingerprint} then."
        )
    if not known.same_ids:
        typer.echo("Who was who is not on record for that run: customers may be called otherwise than then.")


def backfill(
    first: Annotated[
        str, typer.Option("--from", help="First instant: a day (its beginning) or an ISO time.")
    ],
    last: Annotated[str, typer.Option("--to", help="Last instant, included.")],
    every: Annotated[str, typer.Option(help="Step: a number and h, d, w or m (months).")] = "1d",
    into: Annotated[str, typer.Option("--into", help="Name of the scratch build.")] = "backfill",
    mart: Annotated[list[str] | None, typer.Option(help="Only this mart; may be repeated.")] = None,
    all_marts: Annotated[
        bool, typer.Option("--all-marts", help="Those that grow customer by customer too.")
    ] = False,
) -> None:
    """Answer for past instants: each mart in schema scratch_<name>, with as_of as its first column. Nothing served changes."""
    from lifehouse import stations
    from lifehouse.build import project
    from lifehouse.context import Context
    from lifehouse.report.night import instant
    from lifehouse.scratch.instants import instants

    ctx = Context.current()
    zone = ctx.project.company.time_zone
    as_ofs = instants(instant(first, zone, "--from"), instant(last, zone, "--to"), every, zone)
    marts = project.mart_names() if all_marts else mart or None
    done = stations.backfill(ctx, into, as_ofs, marts=marts, say=lambda step: typer.echo(f"  {step}"))
    typer.echo(
        f"{len(done.made)} of {len(as_ofs)} instants made, {len(done.kept)} stood already: schema {done.schema}, "
        "one table for each mart, as_of first."
    )


@scratch.command("list")
def list_scratch() -> None:
    """Every scratch build: what it is, which instants it holds, how large it is."""
    from lifehouse.context import Context
    from lifehouse.scratch import register as register_of

    ctx = Context.current()
    sizes = {row["schema"]: row["size"] for row in ctx.warehouse.rows(_SIZES)}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("schema", "what", "instants (UTC)", "size", "made (UTC)", ""):
        table.add_column(column)
    for row in register_of.found(ctx):
        what = f"as known at run {row.run_id}" if row.run_id else "backfill"
        held = [f"{at:%Y-%m-%d %H:%M}" for at in row.as_ofs]
        instants = (
            held[0] if len(held) == 1 else f"{len(held)}: {held[0]} .. {held[-1]}" if held else "none yet"
        )
        state = "" if row.state == "ready" else "not complete: run it again"
        size = sizes.get(row.schema, "0 bytes")
        table.add_row(row.schema, what, instants, size, f"{row.made_at:%Y-%m-%d %H:%M}", state)
    if table.rows:
        Console().print(table)
    else:
        typer.echo("There is no scratch build; `lifehouse backfill` and `lifehouse as-known` make them.")


@scratch.command("drop")
def drop_scratch(names: Annotated[list[str], typer.Argument(help="Names of scratch builds.")]) -> None:
    """Forget scratch builds and drop their schemas."""
    from lifehouse.context import Context
    from lifehouse.scratch import register as register_of

    for name in names:
        register_of.drop(Context.current(), name.removeprefix("scratch_"))
        typer.echo(f"The scratch {name} is gone.")


_SIZES = """
    select relnamespace::regnamespace::text as schema, pg_size_pretty(sum(pg_total_relation_size(oid))) as size
    from pg_class where relkind = 'r' and relnamespace::regnamespace::text like 'scratch\\_%'
    group by relnamespace
"""
