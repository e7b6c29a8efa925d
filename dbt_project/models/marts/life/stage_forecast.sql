{{ as_of_model() }}

with stays as (
    select * from {{ ref('stage_history') }}
    where exited_at is null or exited_at > {{ as_of() }}
),

moves as (
    select
        customer_id,
        lifecycle,
        lag(stage) over (partition by customer_id, lifecycle order by entered_at) as from_stage,
        stage as to_stage,
        entered_at
    from stays
)

select
    lifecycle,
    from_stage,
    to_stage,
    (entered_at at time zone '{{ var("time_zone") }}')::date as move_date,
    count(distinct customer_id) as customers
from moves
where
    from_stage is not null
    and entered_at > {{ as_of() }}
    and entered_at <= {{ as_of() }} + interval '2160 hours'
group by lifecycle, from_stage, to_stage, move_date
