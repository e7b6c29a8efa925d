"""The alerts: whether their connections are known, and whether they got through."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lifehouse.alerts import ledger
from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict


def channels(ctx: Context) -> Iterator[Finding]:
    declared = ctx.project.company.alerts
    if not declared:
        yield Finding(
            "alerts",
            Verdict.MIND,
            "nobody is told when a run fails",
            "declare alerts: in lifehouse.yml (docs/alerts.md)",
        )
        return
    unsent = {row["channel"]: row for row in ledger.unsent(ctx.warehouse)}
    for channel in declared:
        variable = f"AIRFLOW_CONN_{channel.connection.upper()}"
        row = unsent.get(channel.key)
        if row:
            yield Finding(
                "alerts",
                Verdict.WRONG,
                f"{channel.key}: {row['alerts']} not sent: {row['error'] or 'nobody sent it'}",
                f"mend the connection {channel.connection}; what waits is sent after the next task that ends",
            )
        elif variable not in os.environ:
            yield Finding(
                "alerts",
                Verdict.MIND,
                f"{channel.key}: {variable} is not set in this shell",
                "nothing, if the connection was made in Airflow; else set it before `lifehouse up`",
            )
        else:
            yield Finding("alerts", Verdict.FINE, f"{channel.key}: connection {channel.connection}")
