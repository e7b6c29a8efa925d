"""Stage metrics of a warehouse held against what they should be."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lifehouse.context import Context
from lifehouse.lifecycles.declaration import lifecycles
from support import metrics
from support.metrics import INSTANT, NEVER, Event, Stay, Told


def hold_against_a_naive_walk(ctx: Context, as_of: datetime, schema: str = "marts", step: int = 1) -> int:
    """Every stage's figures of every ``step``-th period, and today's; returns how many KPIs had a value."""
    zone, valued = ZoneInfo(ctx.project.company.time_zone), 0
    events, costs = _events(ctx, as_of), _costs(ctx, as_of, zone)
    for declared in lifecycles(ctx.project):
        told = Told(
            _stays(ctx, schema, declared.lifecycle, as_of),
            events,
            costs,
            ctx.project.company.reporting_currency,
        )
        today = {
            row["stage"]: row
            for row in ctx.warehouse.rows(
                f"select * from {schema}.stage_metrics where lifecycle = %s", (declared.lifecycle,)
            )
        }
        rows = ctx.warehouse.rows(
            f"select * from {schema}.stage_metrics_by_period where lifecycle = %s order by stage, period, period_start",
            (declared.lifecycle,),
        )
        for stage in declared.stages:
            row, theirs = today[stage.stage], [stay for stay in told.stays if stay.stage == stage.stage]
            valued += _same_kpi(row["kpi_value"], metrics.kpi(stage, as_of, told), stage.stage)
            if theirs:
                limit, mean, median = metrics.dwell(theirs, as_of, None)
                assert _close(row["dwell_horizon_days"], limit), stage.stage
                assert _close(row["restricted_mean_dwell_days"], mean), stage.stage
                assert _close(row["median_dwell_days"], median), stage.stage
            for found in [row for row in rows if row["stage"] == stage.stage][::step]:
                first, begins, ends = metrics.period(found["period"], found["period_start"], zone)
                at = min(ends - INSTANT, as_of)
                where = (declared.lifecycle, stage.stage, found["period"], first)
                assert (found["period_start"], found["is_over"]) == (first, ends <= as_of), where
                began = [stay for stay in theirs if begins <= stay.entered <= at]
                over = [stay for stay in theirs if begins <= stay.exited <= at]
                onward = [stay for stay in over if stay.went_to in stage.onward]
                counts = [found[name] for name in ("entered", "exited", "converted", "customers")]
                there = sum(stay.holds(at) for stay in theirs)
                assert counts == [len(began), len(over), len(onward), there], where
                _same_kpi(found["kpi_value"], metrics.kpi(stage, at, told), where)
                if began:
                    _, mean, median = metrics.dwell(began, as_of, 30)
                    assert _close(found["restricted_mean_dwell_days"], mean), where
                    assert _close(found["median_dwell_days"], median), where
    return valued


def _same_kpi(found: Decimal | None, wanted: Decimal | None, where: object) -> bool:
    assert (found is None) == (wanted is None), where
    if found is not None and wanted is not None:
        assert float(found) == pytest.approx(float(wanted), rel=1e-5, abs=2e-6), where
    return found is not None


def _close(found: Decimal | None, wanted: float | None) -> bool:
    return (found is None and wanted is None) or (
        found is not None and wanted is not None and abs(float(found) - wanted) < 0.002
    )


def _stays(ctx: Context, schema: str, lifecycle: str, as_of: datetime) -> list[Stay]:
    rows = ctx.warehouse.rows(
        f"select * from {schema}.stage_history where lifecycle = %s and entered_at <= %s order by customer_id, entered_at",
        (lifecycle, as_of),
    )
    return [
        Stay(
            row["customer_id"], row["stage"], row["entered_at"], row["exited_at"] or NEVER, row["cause_event_id"],
            after["stage"] if after and after["customer_id"] == row["customer_id"] else None,
        )
        for row, after in zip(rows, [*rows[1:], None], strict=True)
    ]  # fmt: skip


def _events(ctx: Context, as_of: datetime) -> list[Event]:
    rows = ctx.warehouse.rows(
        "select * from core.customer_events where occurred_at <= %s and event_type = any(%s)",
        (as_of, ["order", "refund", "product_used", "product_upgraded", "ticket_solved", "referral_made"]),
    )
    return [
        Event(
            row["customer_id"], row["occurred_at"], row["event_type"], row["event_id"],
            row["amount"] or Decimal(0), row["currency"], row["value"],
        )
        for row in rows
    ]  # fmt: skip


def _costs(ctx: Context, as_of: datetime, zone: ZoneInfo) -> list[tuple[datetime, Decimal]]:
    """Each day's even share of what a campaign costs, from the contract."""
    found = []
    for row in ctx.warehouse.rows(
        """
        select coalesce(campaigns.starts_at, min(targets.targeted_at)) as starts_at, campaigns.ends_at, campaigns.cost
        from contract.campaigns as campaigns
        left join contract.campaign_targets as targets using (source, campaign_key)
        where cost <> 0 and campaigns.currency = %s
        group by source, campaign_key, campaigns.starts_at, campaigns.ends_at, campaigns.cost
        """,
        (ctx.project.company.reporting_currency,),
    ):
        if row["starts_at"] is None:
            continue
        first = row["starts_at"].astimezone(zone).date()
        last = (row["ends_at"] - INSTANT).astimezone(zone).date() if row["ends_at"] else first
        days = max((last - first).days, 0) + 1
        for number in range(days):
            day: date = first + timedelta(days=number)
            begins = metrics.period("day", day, zone)[1]
            if begins <= as_of:
                found.append((begins, row["cost"] / days))
    return found
