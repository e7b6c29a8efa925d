{{ per_customer(indexes=[{'columns': ['lifecycle', 'entered_at']}]) }}

with intervals as (
    select * from {{ ref('stage_intervals') }}
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
from intervals
where {{ changed('intervals') }}
