{{ as_of_model(indexes=[{'columns': ['lifecycle', 'period', 'period_start']}]) }}

with declared as (
    select * from {{ ref('lifecycle_stages') }}
),

periods as (
    select * from {{ ref('periods') }}
),

figures as (
    select * from {{ ref('stage_figures') }}
),

dwell as (
    select * from {{ ref('stage_dwell') }}
),

counted as (
    select
        periods.period,
        periods.period_start,
        periods.is_over,
        figures.*,
        figures.entered - earlier.entered as entered_in_period,
        figures.exited - earlier.exited as exited_in_period,
        figures.converted - earlier.converted as converted_in_period
    from periods
    inner join figures on periods.told_at = figures.told_at
    inner join figures as earlier
        on
            periods.before_at = earlier.told_at
            and figures.lifecycle = earlier.lifecycle and figures.stage = earlier.stage
)

select
    declared.lifecycle,
    declared.stage,
    declared.stage_order,
    counted.period,
    counted.period_start,
    counted.is_over,
    counted.entered_in_period as entered,
    counted.exited_in_period as exited,
    counted.converted_in_period as converted,
    (counted.converted_in_period::numeric / nullif(counted.exited_in_period, 0))::numeric(6, 5)
        as conversion,
    counted.customers,
    dwell.median_dwell_days,
    dwell.restricted_mean_dwell_days,
    30 as dwell_horizon_days,
    declared.kpi,
    {{ kpi_columns('declared', 'counted') }}
from counted
inner join declared
    on counted.lifecycle = declared.lifecycle and counted.stage = declared.stage
left join dwell
    on
        counted.lifecycle = dwell.lifecycle and counted.stage = dwell.stage
        and counted.period = dwell.period and counted.period_start = dwell.period_start
