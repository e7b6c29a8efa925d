"""One customer's story: which stages, when, why, and what is scheduled. Ids and times only, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.lifecycles import event_words

When = Literal["past", "now", "later", "scheduled"]
# The source of a record is on the timeline alone, which may have been built since; then nobody says it.
_STAYS = """
    select stays.lifecycle, stages.is_recorded,
        concat_ws(' · ', stages.lifecycle_label_en, nullif(stages.lifecycle_label_zh, stages.lifecycle_label_en)) as title,
        concat_ws(' · ', stages.label_en, nullif(stages.label_zh, stages.label_en)) as stage, stages.definition, stages.rule,
        stays.entered_at, stays.exited_at, stays.cause_type, stays.cause_event_type, stays.window_days,
        (
            select events.source from core.customer_events as events
            where events.customer_id = stays.customer_id and events.occurred_at = stays.entered_at
                and events.event_id = stays.cause_event_id and stays.cause_type = 'record'
        ) as source
    from marts.stage_history as stays
    inner join marts.lifecycle_stages as stages using (lifecycle, stage)
    where stays.customer_id = %(customer)s and (%(lifecycle)s::text is null or stays.lifecycle = %(lifecycle)s)
    order by stages.is_recorded, stays.lifecycle, stays.entered_at
"""
_HAPPENED = """
    select event_type, count(*) as count, min(occurred_at) as first_at, max(occurred_at) as last_at
    from core.customer_events
    where customer_id = %(customer)s and occurred_at <= %(as_of)s
    group by event_type
    order by last_at desc, event_type
"""


@dataclass(frozen=True)
class Happened:
    """What happened to the customer so far, of one type of event."""

    event_type: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Stay:
    """One stay.

    ``when`` is seen from the instant asked for; ``is_scheduled``: it had not begun as of the release;
    ``is_expiry``: a window that ran out began it, unless something happens before; ``definition`` and
    ``rule``: of the stage, in words.
    """

    when: When
    stage: str
    entered_at: datetime
    exited_at: datetime | None
    cause: str
    is_scheduled: bool
    is_expiry: bool
    definition: str | None
    rule: str | None

    @property
    def days(self) -> float | None:
        """How long it lasts, in days of 24 hours; None if no end is in sight."""
        return (self.exited_at - self.entered_at).total_seconds() / 86_400 if self.exited_at else None


@dataclass(frozen=True)
class Story:
    """One lifecycle of one customer at ``as_of``, as the published release of ``known_at`` knows it."""

    lifecycle: str
    title: str
    as_of: datetime
    known_at: datetime
    stays: list[Stay]

    @property
    def now(self) -> Stay | None:
        """Where the customer stands at ``as_of``; None before the first event."""
        return next((stay for stay in self.stays if stay.when == "now"), None)

    @property
    def next(self) -> Stay | None:
        """What comes after it."""
        return next((stay for stay in self.stays if stay.when in ("later", "scheduled")), None)


def stories(
    ctx: Context, customer_id: str, lifecycle: str | None = None, as_of: datetime | None = None
) -> list[Story]:
    """A customer's story in each lifecycle, or in the one named; the recorded ones last.

    :param as_of: any instant, past or to come; None is the published release's.
    :raises LifehouseError: nothing is published, or the release knows no such customer or lifecycle.
    """
    known_at = ctx.warehouse.value("select as_of from control.published")
    if known_at is None:
        raise LifehouseError("nothing is published yet; `lifehouse run` builds the first release")
    rows = ctx.warehouse.rows(_STAYS, {"customer": customer_id, "lifecycle": lifecycle})
    if not rows:
        raise LifehouseError(_reason(ctx, customer_id, lifecycle))
    asked = as_of or known_at
    return [
        Story(name, title, asked, known_at, [_stay(row, asked, known_at) for row in group])
        for (name, title), group in groupby(rows, key=lambda row: (row["lifecycle"], row["title"]))
    ]


def happened(ctx: Context, customer_id: str, as_of: datetime) -> list[Happened]:
    """What the timeline, as core has it now, holds of the customer until ``as_of``; the type seen last comes first."""
    return [
        Happened(**row) for row in ctx.warehouse.rows(_HAPPENED, {"customer": customer_id, "as_of": as_of})
    ]


def _stay(row: dict[str, Any], as_of: datetime, known_at: datetime) -> Stay:
    entered_at, exited_at = row["entered_at"], row["exited_at"]
    is_scheduled = entered_at > known_at
    when: When = "now"
    if entered_at > as_of:
        when = "scheduled" if is_scheduled else "later"
    elif exited_at is not None and exited_at <= as_of:
        when = "past"
    is_expiry = row["cause_type"] == "window"
    cause = _cause(row, is_scheduled)
    told = (row["definition"], row["rule"])
    return Stay(when, row["stage"], entered_at, exited_at, cause, is_scheduled, is_expiry, *told)


def _cause(row: dict[str, Any], is_scheduled: bool) -> str:
    event = event_words.one(row["cause_event_type"])
    if row["cause_type"] == "record":
        told = f"recorded by {row['source']}" if row["source"] else "recorded at the source"
        return f"{told} in advance" if is_scheduled else told
    if row["cause_type"] == "window":
        since = row["entered_at"] - timedelta(days=row["window_days"])
        return f"{row['window_days']} days after {event} ({since:%Y-%m-%d})"
    return event


def _reason(ctx: Context, customer_id: str, lifecycle: str | None) -> str:
    declared = ctx.warehouse.rows(
        "select distinct lifecycle, is_recorded from marts.lifecycle_stages order by 2, 1"
    )
    known = [row["lifecycle"] for row in declared]
    if lifecycle and lifecycle not in known:
        return f"no lifecycle {lifecycle!r}; known are {', '.join(known)}"
    merged = """
        with recursive lives as (
            select customer_id, retired_into from core.customer_registry where customer_id = %s
            union all
            select registry.customer_id, registry.retired_into
            from lives inner join core.customer_registry as registry on registry.customer_id = lives.retired_into
        )
        select customer_id from lives where retired_into is null
    """
    into = ctx.warehouse.value(merged, (customer_id,))
    if into and into != customer_id:
        return f"customer {customer_id} was merged into {into}"
    if lifecycle and ctx.warehouse.value(
        "select exists (select from marts.stage_history where customer_id = %s)", (customer_id,)
    ):
        return f"no source has recorded a stage of customer {customer_id} in {lifecycle!r}"
    return "the published release knows no such customer_id; marts.customers lists them"
