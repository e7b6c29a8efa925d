{{ as_of_model() }}

with stays as (
    select * from {{ ref('stage_history') }}
    where entered_at <= {{ as_of() }}
),

moves as (
    select
        customer_id,
        lifecycle,
        lag(stage) over life as from_stage,
        stage as to_stage,
        date_trunc('month', entered_at at time zone '{{ var("time_zone") }}')::date as month,
        extract(epoch from entered_at - lag(entered_at) over life) / 86400 as dwell_days
    from stays
    window life as (partition by customer_id, lifecycle order by entered_at)
)

select
    lifecycle,
    from_stage,
    to_stage,
    month,
    count(*) as moves,
    count(distinct customer_id) as customers,
    (
        count(*) / sum(count(*)) over (partition by lifecycle, from_stage, month)
    )::numeric(6, 5) as share,
    (percentile_cont(0.5) within group (order by dwell_days))::numeric(12, 3) as median_dwell_days
from moves
where from_stage is not null
group by lifecycle, from_stage, to_stage, month
