{{ staged('engage', 'messages', by="event_id::text") }}

with messages as (
    select * from {{ raw('engage', 'messages', by="event_id::text") }}
)

select
    'engage' as source,
    event_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    message_id::text as message_key,
    campaign_id::text as campaign_key,
    channel,
    event,
    detail,
    occurred_at
from messages
