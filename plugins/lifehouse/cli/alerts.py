"""``lifehouse alerts``: what people were told of, through which channel, and in which words."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(alerts)


def alerts(
    number: Annotated[int | None, typer.Argument(help="Show this alert's whole text.")] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many to list.")] = 20,
) -> None:
    """What was told of which run, newest first. Airflow's tasks send; this only shows."""
    from lifehouse.alerts import render
    from lifehouse.alerts.alert import Alert
    from lifehouse.context import Context
    from lifehouse.errors import LifehouseError

    ctx = Context.current()
    if number is not None:
        content = ctx.warehouse.value("select content from control.alerts where alert_id = %s", (number,))
        if content is None:
            raise LifehouseError(f"there is no alert {number}; `lifehouse alerts` lists them")
        typer.echo(render.text(Alert.of(content)))
        return
    declared = [channel.key for channel in ctx.project.company.alerts]
    typer.echo(f"Channels: {', '.join(declared) or 'none (docs/alerts.md)'}")
    rows = ctx.warehouse.rows(_LIST, (last,))
    if not rows:
        typer.echo("Nothing was told yet.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("alert", "noted (UTC)", "about", "what", "sent"):
        table.add_column(name, overflow="fold")
    for row in rows:
        sent = ", ".join(f"{one['channel']}: {one['status'].replace('_', ' ')}" for one in row["sends"] or [])
        table.add_row(
            str(row["alert_id"]),
            f"{row['noted_at']:%Y-%m-%d %H:%M}",
            escape(row["subject"]),
            escape(row["title"]),
            escape(sent) or "nobody asked for it",
        )
    Console().print(table)


_LIST = """
    select alerts.alert_id, alerts.noted_at, alerts.subject, alerts.content ->> 'title' as title,
        jsonb_agg(
            jsonb_build_object('channel', sends.channel, 'status', sends.status) order by sends.channel
        ) filter (where sends.channel is not null) as sends
    from control.alerts as alerts
    left join control.alert_sends as sends using (alert_id)
    group by alerts.alert_id
    order by alerts.alert_id desc
    limit %s
"""
