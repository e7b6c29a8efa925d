"""The summary in the terminal: what the published release says, and what the night did."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lifehouse.context import Context
from lifehouse.report import words
from lifehouse.report.facts import Facts, Lifecycle, Row, gather

_CAMPAIGNS_SHOWN = 8
_BAR = 24  # characters
_WIDTH_OF_A_FILE = 120  # characters, where nobody's window sets a limit


def print_summary(ctx: Context, console: Console | None = None, *, times: bool = False) -> None:
    """Print the published release: customers by stage and their moves, segments, campaigns, gates, pushes; its ``times``."""
    facts = gather(ctx)
    console = console or Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_OF_A_FILE)
    if facts.release is None:
        console.print(
            "Nothing is published yet. `lifehouse run` builds the first release; `lifehouse status` says what failed."
        )
        return
    for part in _parts(facts, times):
        console.print(part)
        console.print()


def _parts(facts: Facts, times: bool) -> Iterator[RenderableType]:
    yield _head(facts)
    for lifecycle in facts.lifecycles:
        yield _stages(lifecycle, facts)
    if facts.segments:
        yield _segments(facts.segments)
    if facts.campaigns:
        yield _campaigns(facts.campaigns)
    yield _gates(facts)
    yield _pushes(facts)
    if times and facts.stations:
        yield _times(facts)
    for part, why in facts.missing.items():
        yield Text(f"Not shown: {part} ({why})", style="yellow")


def _head(facts: Facts) -> RenderableType:
    release, company, totals = facts.release or {}, facts.company, facts.totals
    lines = [
        f"[bold]Release {release['release_id']}[/] · as of [bold]{words.instant(release['as_of'], company.time_zone)}[/]",
    ]
    if totals:
        lines.append(
            f"[bold]{words.count(totals['customers'])}[/] customers, {words.count(totals['buyers'])} have bought, "
            f"{words.count(totals['reachable'])} may be contacted · {words.count(totals['records'])} records "
            f"of {totals['sources']} source{'s' if totals['sources'] != 1 else ''}"
        )
    lines += [
        f"[bold]{words.money(row['net_revenue'], row['currency'], cents=True)}[/] net of {words.count(row['orders'])} orders, "
        f"{words.count(row['lines'])} lines ({escape(row['source'])})"
        + (f"; {words.count(row['guest_orders'])} orders by guests" if row["guest_orders"] else "")
        for row in facts.sales
    ]
    lines += [f"[yellow]Late: {escape(late['sentence'])}[/]" for late in release["late_details"] or []]
    if company.note:
        lines.append(f"[dim]{escape(company.note)}[/]")
    return Panel(
        "\n".join(lines),
        title=f"[bold]{escape(company.company)}[/]",
        title_align="left",
        box=box.ROUNDED,
        padding=(0, 2),
    )


def _table(title: str, *columns: str) -> Table:
    """A plain table; a column that begins with > is right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        right = column.startswith(">")
        whole = right or number == 0  # names and numbers stay on one line; a narrow window wraps the rest
        table.add_column(column.removeprefix(">"), justify="right" if right else "left", no_wrap=whole)
    return table


def _stages(lifecycle: Lifecycle, facts: Facts) -> RenderableType:
    since = (
        f", moves since {words.day(facts.previous['as_of'], facts.company.time_zone)}"
        if facts.previous
        else ""
    )
    table = _table(f"Lifecycle {lifecycle.title}{since}", "stage", ">customers", "", ">came", ">left")
    largest = max((stage["customers"] for stage in lifecycle.stages), default=0) or 1
    for stage in lifecycle.stages:
        table.add_row(
            f"{escape(stage['label_en'])} [dim]{escape(stage['label_zh'] or '')}[/]",
            words.count(stage["customers"]),
            f"[cyan]{'█' * round(stage['customers'] / largest * _BAR)}[/]",
            f"[green]{words.signed(lifecycle.gained(stage['stage']))}[/]",
            f"[red]{words.signed(-lifecycle.lost(stage['stage']))}[/]",
        )
    lines: list[RenderableType] = [table]
    if facts.previous:
        lines.append(_moves("Moves of the night", lifecycle, lifecycle.moves))
    lines.append(_moves("Will move within 30 days if nothing happens", lifecycle, lifecycle.coming))
    return Group(*lines)


def _moves(title: str, lifecycle: Lifecycle, moves: list[Row]) -> Text:
    told = ", ".join(
        f"{lifecycle.label(move['came_from'])} → {lifecycle.label(move['went_to'])} {words.count(move['customers'])}"
        for move in moves[:6]
    )
    more = f", and {len(moves) - 6} more kinds" if len(moves) > 6 else ""
    return Text.assemble((f"{title}: ", "bold"), (told or "none") + more)


def _segments(segments: list[Row]) -> Table:
    table = _table("Segments", "segment", ">members", ">came", ">left")
    table.add_column("play")
    for row in segments:
        table.add_row(
            words.segment(row["segment"]),
            words.count(row["members"]),
            f"[green]{words.signed(row['came'])}[/]",
            f"[red]{words.signed(-(row['went'] or 0))}[/]",
            f"[dim]{escape(row['play'] or '')}[/]",
        )
    return table


def _campaigns(campaigns: list[Row]) -> RenderableType:
    table = _table(
        "Campaigns (newest)",
        "campaign",
        "state",
        ">targeted",
        ">redeemed",
        ">responded",
        ">a head",
        ">before",
    )
    for row in campaigns[:_CAMPAIGNS_SHOWN]:
        table.add_row(
            escape(str(row["name"] or row["campaign_key"])),
            str(row["state"]),
            words.count(row["targeted"]),
            words.share(row["redemption_rate"]),
            words.share(row["response_rate"]),
            words.money(row["revenue_per_targeted"], row["currency"], cents=True),
            words.money(row["change_per_targeted"], cents=True),
        )
    more = len(campaigns) - _CAMPAIGNS_SHOWN
    remark = (
        "“A head” is net revenue of those targeted; “before” is its change against their equally long window "
        "before: observational, no causal claim."
    )
    return Group(table, Text((f"{more} more in the report. " if more > 0 else "") + remark, style="dim"))


def _gates(facts: Facts) -> RenderableType:
    table = _table("Gates", "gate", "judged", ">rows", ">held", ">warnings", ">failed")
    for row in facts.gates:
        table.add_row(
            str(row["gate"]),
            escape(str(row["subject"])),
            words.count(row["rows"]),
            f"{row['passed']} of {row['checks']}",
            f"[yellow]{row['warnings']}[/]" if row["warnings"] else "",
            f"[red bold]{row['failed']}[/]" if row["failed"] else "",
        )
    lines: list[RenderableType] = [
        table if facts.gates else Text("Gates: nothing was judged for this release", style="yellow")
    ]
    for row in facts.gates:
        for item in row["not_held"]:
            style = "red" if item["severity"] == "critical" else "yellow"
            number = f" ({words.count(item['failed'])} rows)" if item["failed"] else ""
            lines.append(Text(f"  {row['subject']}: {item['meaning']}{number}", style=style))
    received, loaded, unchanged, quarantined = (
        sum(row[name] for row in facts.loads) for name in ("received", "loaded", "unchanged", "quarantined")
    )
    told = (
        f"Loads of the night: {words.count(received)} records received = {words.count(loaded)} loaded "
        f"+ {words.count(unchanged)} unchanged + {words.count(quarantined)} quarantined"
    )
    lines.append(Text(told, style="yellow" if quarantined else ""))
    return Group(*lines)


def _pushes(facts: Facts) -> RenderableType:
    if not facts.pushes:
        return Text("Pushed: nothing with this release", style="dim")
    table = _table(
        "Pushed",
        "sync",
        "result",
        ">size",
        ">add",
        ">change",
        ">remove",
        ">confirmed",
        ">refused",
    )
    for row in facts.pushes:
        style = {"done": "green", "running": "cyan"}.get(row["status"], "red")
        table.add_row(
            f"{escape(row['sync'])} [dim]{escape(row['platform'])}[/]",
            f"[{style}]{row['status']}[/]",
            words.count(row["desired"]),
            *(words.count(row[name]) for name in ("adds", "changes", "removes", "confirmed")),
            f"[red]{row['refused']}[/]" if row["refused"] else "0",
        )
    reasons = [
        Text(f"  {row['sync']}: {row['message']}", style="yellow") for row in facts.pushes if row["message"]
    ]
    return Group(table, *reasons)


def _times(facts: Facts) -> RenderableType:
    """Seconds of each station, one column a release."""
    releases = [row["release_id"] for row in reversed(facts.releases[:3])]
    table = _table("Time of the stations", "station", *(f">release {release}" for release in releases))
    spent: dict[str, dict[int, float]] = {}
    for row in facts.stations:
        name = f"{row['station']} {row['subject']}" if row["subject"] else row["station"]
        night = spent.setdefault(name, {})
        night[row["release_id"]] = night.get(row["release_id"], 0.0) + float(row["seconds"] or 0)
    for name, night in spent.items():
        table.add_row(escape(name), *(words.seconds(night.get(release)) for release in releases))
    table.add_section()
    sums = [sum(night.get(release, 0.0) for night in spent.values()) for release in releases]
    table.add_row("together", *(words.seconds(total) for total in sums), style="bold")
    return table
