"""The questions that a report asks of the published release and of the control tables. Counts and sums, never personal values."""

from __future__ import annotations

RELEASES = """
    select releases.release_id, releases.run_id, releases.as_of, releases.published_at, releases.is_published,
        releases.withdrawn_at, releases.late_details, runs.full_refresh, runs.started_at,
        round(extract(epoch from runs.ended_at - runs.started_at), 1) as seconds, cardinality(runs.loads) as loads,
        releases.syncs_paused
    from marts.releases as releases
    inner join control.runs as runs using (run_id)
    where releases.release_id <= (select release_id from control.published)
    order by releases.release_id desc
    limit 4
"""

# Who is counted: customers are people after identity resolution, guests are orders without one.
TOTALS = """
    select
        (select count(*) from marts.customers) as customers,
        (select count(*) from marts.customers where first_order_at is not null) as buyers,
        (select count(*) from marts.customers where {consent}) as reachable,
        (select count(distinct source) from marts.customer_identifiers) as sources,
        (select count(*) from marts.customer_identifiers where identifier_kind like 'id:%%') as records
"""

SALES = """
    select source, currency, orders, refund_orders, guest_orders, lines, customers, gross_revenue, refunds, net_revenue,
        guest_net_revenue
    from marts.sales_totals
    order by source, currency
"""

STAGES = """
    with here as (
        select lifecycle, stage, count(*) as customers
        from marts.stage_history
        where entered_at <= %(as_of)s and (exited_at is null or exited_at > %(as_of)s)
        group by lifecycle, stage
    )
    select stages.lifecycle, stages.lifecycle_label_en, stages.is_recorded, stages.stage, stages.stage_order,
        stages.label_en, nullif(stages.label_zh, stages.label_en) as label_zh, stages.definition, stages.rule,
        coalesce(here.customers, 0) as customers
    from marts.lifecycle_stages as stages
    left join here using (lifecycle, stage)
    order by stages.is_recorded, stages.lifecycle <> 'status', stages.lifecycle, stages.stage_order nulls last, stages.stage
"""

# Who stood elsewhere at the release before; a null `before` is a customer who was not known then.
MOVES = """
    with before as (
        select customer_id, lifecycle, stage
        from marts.stage_history
        where entered_at <= %(previous)s and (exited_at is null or exited_at > %(previous)s)
    ),

    here as (
        select customer_id, lifecycle, stage
        from marts.stage_history
        where entered_at <= %(as_of)s and (exited_at is null or exited_at > %(as_of)s)
    )

    select lifecycle, before.stage as came_from, here.stage as went_to, count(*) as customers
    from here
    left join before using (customer_id, lifecycle)
    where before.stage is distinct from here.stage
    group by 1, 2, 3
    order by 1, 4 desc, 2, 3
"""

# What happens in the next 30 days to those of whom nothing more is heard.
COMING = """
    select coming.lifecycle, leaving.stage as came_from, coming.stage as went_to, count(*) as customers
    from marts.stage_history as coming
    inner join marts.stage_history as leaving
        on coming.customer_id = leaving.customer_id
        and coming.lifecycle = leaving.lifecycle
        and coming.entered_at = leaving.exited_at
    where coming.entered_at > %(as_of)s and coming.entered_at <= %(as_of)s + interval '30 days'
    group by 1, 2, 3
    order by 1, 4 desc, 2, 3
"""

SEGMENTS = """
    select segments.segment, segments.family, segments.owner, segments.meaning, segments.play, segments.members,
        came.customers as came, went.customers as went
    from marts.segments as segments
    left join (
        select segment, count(*) as customers from marts.segment_history
        where entered_release = %(release_id)s and %(previous)s::timestamptz is not null
        group by segment
    ) as came using (segment)
    left join (
        select segment, count(*) as customers from marts.segment_history
        where left_release = %(release_id)s
        group by segment
    ) as went using (segment)
    order by segments.family desc, segments.members desc, segments.segment
"""

CAMPAIGNS = """
    select campaign_key, name, channel, kind, state, starts_at, ends_at, targeted, redeemers, redemption_rate, responders,
        response_rate, orders, net_revenue, revenue_per_targeted, revenue_per_targeted_before, change_per_targeted,
        comparison, currency
    from marts.campaign_results
    order by starts_at desc nulls last, campaign_key
"""

WEEKS = """
    select dates.week_start as week, sales.currency, sum(sales.net_revenue) as net_revenue, sum(sales.orders) as orders,
        dates.week_start + 7 > (%(as_of)s at time zone %(zone)s)::date
        or dates.week_start < (select min(date) from marts.daily_sales) as is_partial
    from marts.daily_sales as sales
    inner join marts.dates as dates using (date)
    where sales.date < (%(as_of)s at time zone %(zone)s)::date
    group by 1, 2
    order by 2, 1
"""

# Of the run and of the loads that it was the first to take in.
GATES = """
    select gate, subject, count(*) as checks, count(*) filter (where success) as passed,
        count(*) filter (where not success and severity = 'critical') as failed,
        count(*) filter (where not success and severity <> 'critical') as warnings,
        max(checked) as rows,
        coalesce(jsonb_agg(jsonb_build_object('meaning', meaning, 'failed', failed, 'severity', severity,
            'what_to_do', what_to_do, 'observed', observed)) filter (where not success), '[]') as not_held
    from control.quality_results
    where run_id = %(run_id)s or load_id = any(%(new_loads)s)
        or (gate = 'push' and checked_at >= %(published_at)s)
    group by gate, subject
    order by array_position(array['raw', 'release', 'push'], gate), subject
"""

# The decided loads between the run before and this one.
NEW_LOADS = """
    select loads.load_id, loads.source, loads.status, loads.reason,
        coalesce(sum(tables.received), 0) as received, coalesce(sum(tables.loaded), 0) as loaded,
        coalesce(sum(tables.unchanged), 0) as unchanged, coalesce(sum(tables.quarantined), 0) as quarantined
    from control.loads as loads
    left join control.load_tables as tables using (load_id)
    where loads.opened_at <= %(started_at)s and loads.opened_at > %(previous_started_at)s
    group by loads.load_id
    order by loads.load_id
"""

PUSHES = """
    select distinct on (sync) sync, platform, account, status, release_id, as_of, desired, acknowledged, held_out,
        without_consent, unreachable, adds, changes, removes, confirmed, refused, waiting, calls, message,
        round(extract(epoch from ended_at - started_at), 1) as seconds
    from activation.sync_runs
    where release_id = %(release_id)s or (status in ('refused', 'failed') and started_at >= %(published_at)s)
    order by sync, sync_run_id desc
"""

# A station belongs to its run; an ingest to the first run after it; a sync to the last release before it.
STATIONS = """
    select placed.release_id, stations.station, stations.subject, stations.status, stations.rows_in, stations.rows_out,
        round(extract(epoch from stations.ended_at - stations.started_at), 1) as seconds,
        stations.peak_memory as peak_memory_bytes, stations.started_at, stations.message
    from control.stations as stations
    cross join lateral (
        select case
            when stations.run_id is not null
                then (select releases.release_id from control.releases as releases where releases.run_id = stations.run_id)
            when stations.station = 'sync'
                then (select max(releases.release_id) from control.releases as releases
                    where releases.published_at <= stations.started_at)
            else (select min(releases.release_id) from control.releases as releases
                inner join control.runs as runs using (run_id) where runs.started_at >= stations.started_at)
        end as release_id
    ) as placed
    where placed.release_id = any(%(release_ids)s)
    order by stations.started_at
"""
