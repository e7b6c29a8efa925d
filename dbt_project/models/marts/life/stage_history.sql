{{ per_customer(indexes=[{'columns': ['lifecycle', 'entered_at']}]) }}

with declared as (
    {{ declared_stays() }}
),

recorded as (
    select * from {{ ref('stage_intervals_recorded') }}
    where {{ changed('stage_intervals_recorded') }}
),

stays as (
    select * from declared

    union all

    select * from recorded
)

select
    customer_id,
    lifecycle,
    stage,
    stage_order,
    entered_at,
    exited_at,
    cause_type,
    cause_event_type,
    cause_event_id,
    window_days
from stays
