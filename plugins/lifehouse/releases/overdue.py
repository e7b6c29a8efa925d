"""Whether a release is overdue: seen from the warehouse alone, also where no scheduler is left to say so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from lifehouse.activation.durations import words
from lifehouse.context import Context
from lifehouse.releases.late import last_tick


@dataclass(frozen=True)
class Overdue:
    """No release answered the tick in time."""

    tick: datetime
    due: datetime
    published_at: datetime | None

    @property
    def sentence(self) -> str:
        last = f"{self.published_at:%Y-%m-%d %H:%M} UTC" if self.published_at else "never"
        return (
            f"a release is overdue: it was due by {self.due:%Y-%m-%d %H:%M} UTC, {words(self.due - self.tick)} after the "
            f"tick of {self.tick:%H:%M} UTC; the last publication was {last}"
        )


def overdue(ctx: Context, now: datetime | None = None) -> Overdue | None:
    """The newest tick whose deadline has passed and that no run answered; None without a deadline or a clock.

    A run answers a tick by publishing after it, or by finding that what is published already answers. A house that
    never began a run owes nothing yet.
    """
    company = ctx.project.company
    if company.deadline is None or os.environ.get("LIFEHOUSE_CLOCK") == "off":
        return None
    now = now or datetime.now(UTC)
    tick = last_tick(company.schedule, company.time_zone, now - company.deadline)
    rows = ctx.warehouse.rows(
        """
        select min(runs.started_at) as first_at, max(releases.published_at) as published_at,
            coalesce(bool_or(
                releases.published_at >= %(tick)s or (runs.status = 'unchanged' and runs.started_at >= %(tick)s)
            ), false) as answered
        from control.runs as runs
        left join control.releases as releases using (run_id)
        """,
        {"tick": tick},
    )
    first, answered = rows[0]["first_at"], rows[0]["answered"]
    if answered or first is None or first > tick:
        return None
    return Overdue(tick, tick + company.deadline, rows[0]["published_at"])
