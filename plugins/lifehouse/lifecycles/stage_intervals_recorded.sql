-- The pipelines that the sources keep themselves, as recorded: moved-back and skipped stages included.
{{ per_customer() }}

with records as (
    select
        customer_id,
        case when trim(both ' ' from kind) <> '' then '<<prefix>>_' || trim(both ' ' from kind) else '<<prefix>>' end as lifecycle,
        trim(both ' ' from detail) as stage,
        occurred_at,
        event_type,
        event_id
    from {{ ref('customer_events') }} as customer_events
    where event_type = 'crm_stage' and trim(both ' ' from detail) <> '' and {{ changed('customer_events') }}
),

-- Several records may speak for one customer: the latest holds, of simultaneous ones the last on the timeline.
followed as (
    select
        *,
        lead(occurred_at) over (
            partition by customer_id, lifecycle order by occurred_at, event_id
        ) as next_at
    from records
),

steps as (
    select
        *,
        lag(stage) over (partition by customer_id, lifecycle order by occurred_at) as left_stage
    from followed
    where next_at is null or next_at > occurred_at
),

moves as (
    select
        *,
        lead(occurred_at) over (partition by customer_id, lifecycle order by occurred_at) as exited_at
    from steps
    where left_stage is null or left_stage <> stage
)

select
    customer_id,
    lifecycle,
    stage,
    <<order>> as stage_order,
    occurred_at as entered_at,
    exited_at,
    'record' as cause_type,
    event_type as cause_event_type,
    event_id as cause_event_id,
    cast(null as integer) as window_days
from moves
