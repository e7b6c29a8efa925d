{{ as_of_model() }}

{% set windows = [1, 7, 30] %}

with declared as (
    select * from {{ ref('lifecycle_stages') }}
),

-- A stay that ends after the as-of instant is not over: what is scheduled has not happened.
stays as (
    select
        lifecycle,
        stage,
        entered_at,
        {{ as_of() }} as as_of,
        case when exited_at <= {{ as_of() }} then exited_at end as exited_at,
        lead(stage) over (partition by customer_id, lifecycle order by entered_at) as went_to
    from {{ ref('stage_history') }}
    where entered_at <= {{ as_of() }}
),

dwells as (
    select
        stays.*,
        coalesce(stays.went_to = any(string_to_array(declared.onward, '|')), false) as is_converted,
        extract(epoch from coalesce(stays.exited_at, stays.as_of) - stays.entered_at)
        / 86400 as days
    from stays
    inner join declared using (lifecycle, stage)
),

counted as (
    select
        lifecycle,
        stage,
        count(*) filter (where exited_at is null) as customers,
        count(exited_at) as ended_stays,
        {% for days in windows %}
        count(*) filter (
            where entered_at > as_of - interval '{{ 24 * days }} hours'
        ) as entered_{{ days }}d,
        count(*) filter (
            where exited_at > as_of - interval '{{ 24 * days }} hours'
        ) as left_{{ days }}d,
        count(*) filter (
            where is_converted and exited_at > as_of - interval '{{ 24 * days }} hours'
        ) as converted_{{ days }}d,
        {% endfor %}
        avg(days) filter (where exited_at is not null) as mean_dwell_days,
        avg(days) filter (where exited_at is null) as mean_days_so_far
    from dwells
    group by lifecycle, stage
),

dwell as (
    select * from {{ ref('stage_dwell') }}
    where period = 'all'
),

figures as (
    select * from {{ ref('stage_figures') }}
    where told_at = {{ as_of() }}
)

select
    declared.lifecycle,
    declared.stage,
    declared.stage_order,
    coalesce(counted.customers, 0) as customers,
    (
        coalesce(counted.customers, 0)
        / nullif(sum(counted.customers) over (partition by declared.lifecycle), 0)
    )::numeric(6, 5) as share,
    {% for days in windows %}
    coalesce(counted.entered_{{ days }}d, 0) as entered_{{ days }}d,
    coalesce(counted.left_{{ days }}d, 0) as left_{{ days }}d,
    coalesce(counted.converted_{{ days }}d, 0) as converted_{{ days }}d,
    {% endfor %}
    coalesce(counted.ended_stays, 0) as ended_stays,
    counted.mean_dwell_days::numeric(12, 3) as mean_dwell_days,
    counted.mean_days_so_far::numeric(12, 3) as mean_days_so_far,
    dwell.median_dwell_days,
    dwell.restricted_mean_dwell_days,
    dwell.dwell_horizon_days,
    declared.kpi,
    {{ kpi_columns('declared', 'figures') }}
from declared
left join counted
    on declared.lifecycle = counted.lifecycle and declared.stage = counted.stage
left join dwell
    on declared.lifecycle = dwell.lifecycle and declared.stage = dwell.stage
left join figures
    on declared.lifecycle = figures.lifecycle and declared.stage = figures.stage
