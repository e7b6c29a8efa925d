"""One customer's story: which stages, when, why, and what is scheduled. Ids and times only, nothing personal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from lifehouse.context import Context
from lifehouse.errors import LifehouseError

_EVENTS = {
    "first_seen": "the first sight of them",
    "order": "an order",
    "order_cancelled": "a cancelled order",
    "refund": "a refund",
    "campaign_targeted": "a campaign that chose them",
    "offer_redeemed": "a redeemed offer",
    "crm_stage": "a stage change in the CRM",
    "ticket_opened": "an opened ticket",
    "ticket_solved": "a solved ticket",
    "survey_answered": "an answered survey",
    "interaction": "an interaction",
    "message": "a message",
    "consent_granted": "a granted consent",
    "consent_withdrawn": "a withdrawn consent",
}
_STAYS = """
    select stays.lifecycle, stages.lifecycle_label_en || ' · ' || stages.lifecycle_label_zh as title,
        stages.label_en || ' · ' || stages.label_zh as stage, stays.entered_at, stays.exited_at, stays.cause_type,
        stays.cause_event_type, stays.window_days
    from marts.stage_history as stays
    inner join marts.lifecycle_stages as stages using (lifecycle, stage)
    where stays.customer_id = %(customer)s and (%(lifecycle)s::text is null or stays.lifecycle = %(lifecycle)s)
    order by stays.lifecycle, stays.entered_at
"""


@dataclass(frozen=True)
class Stay:
    """One line of the story; ``when`` is past, now or scheduled."""

    when: str
    stage: str
    entered_at: datetime
    exited_at: datetime | None
    cause: str

    @property
    def days(self) -> float | None:
        """How long it lasts, in days of 24 hours; None if no end is in sight."""
        return (self.exited_at - self.entered_at).total_seconds() / 86_400 if self.exited_at else None


@dataclass(frozen=True)
class Story:
    """One lifecycle of one customer, as the published release of ``as_of`` knows it."""

    lifecycle: str
    title: str
    as_of: datetime
    stays: list[Stay]


def stories(ctx: Context, customer_id: str, lifecycle: str | None = None) -> list[Story]:
    """A customer's story in each lifecycle, or in the one named.

    :raises LifehouseError: nothing is published, or the release knows no such customer or lifecycle.
    """
    as_of = ctx.warehouse.value("select as_of from control.published")
    if as_of is None:
        raise LifehouseError("nothing is published yet; `lifehouse run` builds the first release")
    rows = ctx.warehouse.rows(_STAYS, {"customer": customer_id, "lifecycle": lifecycle})
    if not rows:
        raise LifehouseError(_reason(ctx, customer_id, lifecycle))
    return [
        Story(name, title, as_of, [_stay(row, as_of) for row in group])
        for (name, title), group in groupby(rows, key=lambda row: (row["lifecycle"], row["title"]))
    ]


def lines(story: Story) -> Iterator[str]:
    """The story as text, one line a stay."""
    yield story.title
    width = max(len(stay.stage) for stay in story.stays)
    for stay in story.stays:
        mark = {"past": " ", "now": ">", "scheduled": "?"}[stay.when]
        length = f"{stay.days:,.1f} days" if stay.days is not None else "no end in sight"
        cause = f"if nothing happens: {stay.cause}" if stay.when == "scheduled" else stay.cause
        yield f"{mark} {stay.entered_at:%Y-%m-%d %H:%M:%S}  {stay.stage:<{width}}  {length:>15}  {cause}"


def _stay(row: dict[str, Any], as_of: datetime) -> Stay:
    entered_at, exited_at = row["entered_at"], row["exited_at"]
    is_over = exited_at is not None and exited_at <= as_of
    when = "scheduled" if entered_at > as_of else "past" if is_over else "now"
    event = _EVENTS.get(row["cause_event_type"], row["cause_event_type"])
    cause = f"{row['window_days']} days after {event}" if row["cause_type"] == "window" else event
    return Stay(when, row["stage"], entered_at, exited_at, cause)


def _reason(ctx: Context, customer_id: str, lifecycle: str | None) -> str:
    declared = ctx.warehouse.rows("select distinct lifecycle from marts.lifecycle_stages order by 1")
    known = [row["lifecycle"] for row in declared]
    if lifecycle and lifecycle not in known:
        return f"no lifecycle {lifecycle!r}; known are {', '.join(known)}"
    retired = ctx.warehouse.value(
        "select retired_into from core.customer_registry where customer_id = %s", (customer_id,)
    )
    if retired:
        return f"customer {customer_id} was merged into {retired}"
    return "the published release knows no such customer_id; marts.customers lists them"
