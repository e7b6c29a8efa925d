{{ staged('engage', 'follow_ups', by="follow_up_id::text") }}

with follow_ups as (
    select * from {{ raw('engage', 'follow_ups', by="follow_up_id::text") }}
)

select
    'engage' as source,
    follow_up_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    channel,
    purpose,
    planned_at,
    due_at,
    held_at,
    outcome
from follow_ups
