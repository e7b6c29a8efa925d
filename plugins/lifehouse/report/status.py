"""The state of the house: what is published, as of when, what failed, what is late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lifehouse.alerts import ledger
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.releases.held import WHAT_TO_DO, waiting
from lifehouse.releases.late import judge
from lifehouse.releases.overdue import overdue
from lifehouse.report import words
from lifehouse.report.facts import Row
from lifehouse.warehouse.connection import Warehouse

_STYLES = {
    "published": "green",
    "accepted": "green",
    "done": "green",
    "unchanged": "dim",
    "running": "cyan",
    "held": "yellow",
    "open": "cyan",
}

_PUBLISHED = """
    select published.release_id, published.as_of, published.published_at, published.slot, published.syncs_paused,
        runs.late_details
    from control.published as published
    inner join control.releases as releases using (release_id)
    inner join control.runs as runs using (run_id)
"""

_SOURCES = """
    select source,
        (array_agg(status order by load_id desc))[1] as status,
        max(opened_at) as opened_at,
        max(decided_at) filter (where status = 'accepted') as accepted_at,
        (array_agg(reason order by load_id desc))[1] as reason,
        (array_agg(load_id order by load_id desc))[1] as load_id
    from control.loads
    group by source
"""

_RUNS = """
    select run_id, as_of, case when status = 'running' and held_at is not null then 'held' else status end as status,
        started_at, extract(epoch from ended_at - started_at) as seconds, message
    from control.runs
    order by run_id desc
    limit 5
"""

# What failed since the published release, and was not done again with success.
_FAILED = """
    select stations.station, stations.subject, stations.started_at, stations.message
    from control.stations as stations
    where stations.status = 'failed'
        and not exists (
            select from control.stations as later
            where later.station = stations.station and later.subject is not distinct from stations.subject
                and later.station_run_id > stations.station_run_id and later.status = 'done'
        )
    order by stations.station_run_id desc
    limit 5
"""

_SYNCS = """
    select distinct on (sync) sync, platform, status, release_id, desired, adds, changes, removes, confirmed, refused,
        started_at, message
    from activation.sync_runs
    order by sync, sync_run_id desc
"""


def print_status(ctx: Context, console: Console) -> None:
    """Print the page; nothing is changed, but the embedded server is started if it does not run."""
    zone = ctx.project.company.time_zone
    for part in _parts(ctx, ctx.warehouse, zone):
        console.print(part, highlight=False)


def _parts(ctx: Context, warehouse: Warehouse, zone: str) -> Iterator[RenderableType]:
    published = next(iter(warehouse.rows(_PUBLISHED)), None)
    yield _published(ctx, published, zone)
    yield from _held(ctx, zone)
    yield _sources(ctx, warehouse.rows(_SOURCES), _late(ctx, warehouse), zone)
    runs = warehouse.rows(_RUNS)
    if runs:
        yield _runs(runs, zone)
    syncs = warehouse.rows(_SYNCS)
    if syncs:
        yield _syncs(syncs, published)
    yield _failed(warehouse.rows(_FAILED), zone)
    yield from _alerts(ctx, ledger.unsent(warehouse), zone)


def _alerts(ctx: Context, rows: list[Row], zone: str) -> Iterator[RenderableType]:
    """Channels that did not take what they should tell."""
    declared = {channel.key for channel in ctx.project.company.alerts}
    for row in rows:
        why = row["error"] or "nobody sent it"
        after = "given up" if row["given_up"] else "tried again with the next run"
        if row["channel"] not in declared:
            after = "the channel is no longer declared"
        yield Text.assemble(
            ("Alerts not sent ", "bold red"),
            (f"by {row['channel']} ", "bold"),
            f"({row['alerts']}, the oldest of {words.instant(row['since'], zone)}): {why}; {after}",
        )


def _published(ctx: Context, row: Row | None, zone: str) -> RenderableType:
    if row is None:
        return Text.from_markup(
            f"[bold]{escape(ctx.project.company.company)}[/]: [yellow]nothing is published yet[/]; "
            "`lifehouse run` builds the first release"
        )
    lines = [
        f"[bold]{escape(ctx.project.company.company)}[/]: release [bold green]{row['release_id']}[/] is published, "
        f"as of [bold]{words.instant(row['as_of'], zone)}[/] (since {words.instant(row['published_at'], zone)}, {row['slot']})"
    ]
    lines += [
        f"[yellow]late when it was built: {escape(late['sentence'])}[/]" for late in row["late_details"] or []
    ]
    owed = overdue(ctx)
    if owed:
        lines.append(f"[bold red]{escape(owed.sentence)}[/]")
    if row["syncs_paused"]:
        lines.append(
            "[yellow]the syncs are paused since a rollback; the next release that is published wakes them[/]"
        )
    return Text.from_markup("\n".join(lines))


def _held(ctx: Context, zone: str) -> Iterator[RenderableType]:
    """The run that waits for a required source."""
    if run := waiting(ctx):
        yield Text.assemble(
            (f"Run {run['run_id']} is held back ", "bold yellow"),
            f"since {words.instant(run['held_at'], zone)}: {run['held_why']}; {WHAT_TO_DO}",
        )


def _late(ctx: Context, warehouse: Warehouse) -> dict[str, str]:
    """The late sources, by the same rule as a run's, and why."""
    try:
        with warehouse.connect() as connection:
            return {late.source: late.sentence for late in judge(ctx, connection)}
    except LifehouseError:  # nothing accepted yet: each row of the table says so
        return {}


def _sources(ctx: Context, rows: list[Row], late: dict[str, str], zone: str) -> RenderableType:
    known = {row["source"]: row for row in rows}
    table = _table("Sources", "source", "last load", "decision", "last accepted", "")
    for name in [path.stem for path in ctx.project.source_files]:
        row = known.get(name)
        if row is None:
            table.add_row(name, words.NOTHING, "", words.NOTHING, "[yellow]never loaded[/]")
            continue
        remark = f"[red]{escape(row['reason'])}[/]" if row["status"] == "rejected" and row["reason"] else ""
        if name in late:
            remark = " ".join(filter(None, ("[yellow]late[/]", remark or f"[yellow]{escape(late[name])}[/]")))
        table.add_row(
            name,
            f"{row['load_id']} · {words.instant(row['opened_at'], zone)}",
            _pill(row["status"]),
            words.instant(row["accepted_at"], zone),
            remark,
        )
    if not ctx.project.source_files:
        return Text("\nNo sources are declared; `lifehouse init` drafts one.", style="yellow")
    return Group("", table)


def _runs(rows: list[Row], zone: str) -> RenderableType:
    table = _table("Last runs", "run", "as of", "result", "began", ">took", "")
    for row in rows:
        table.add_row(
            str(row["run_id"]),
            words.instant(row["as_of"], zone),
            _pill(row["status"]),
            words.instant(row["started_at"], zone),
            words.seconds(row["seconds"]),
            escape(row["message"] or "") if row["status"] not in ("published", "unchanged") else "",
        )
    return table


def _syncs(rows: list[Row], published: Row | None) -> RenderableType:
    table = _table(
        "Syncs", "sync", "platform", "result", ">release", ">audience", ">sent", ">confirmed", ">refused"
    )
    for row in rows:
        behind = (
            published is not None
            and row["release_id"] is not None
            and row["release_id"] < published["release_id"]
        )
        table.add_row(
            escape(row["sync"]),
            escape(row["platform"]),
            _pill(row["status"]),
            f"{row['release_id'] or words.NOTHING}{' [yellow](behind)[/]' if behind else ''}",
            words.count(row["desired"]),
            words.count(row["adds"] + row["changes"] + row["removes"]),
            words.count(row["confirmed"]),
            f"[red]{row['refused']}[/]" if row["refused"] else "0",
        )
    return Group(
        table, *(Text(f"  {row['sync']}: {row['message']}", style="yellow") for row in rows if row["message"])
    )


def _failed(rows: list[Row], zone: str) -> RenderableType:
    if not rows:
        return Text("Nothing that failed is left undone.", style="green")
    lines: list[RenderableType] = [Text("Failed, and not done since", style="bold red")]
    for row in rows:
        subject = f" {row['subject']}" if row["subject"] else ""
        message = row["message"] or "no message"
        when = words.instant(row["started_at"], zone)
        lines.append(Text.assemble((f"  {row['station']}{subject} ", "bold"), (f"{when}: ", "dim"), message))
    return Group(*lines)


def _pill(status: str) -> str:
    return f"[{_STYLES.get(status, 'red')}]{status.replace('_', ' ')}[/]"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        options: dict[str, Any] = {"justify": "right", "no_wrap": True} if right else {"overflow": "fold"}
        table.add_column(column.removeprefix(">"), **options)
    return table
