{{ staged('engage', 'interactions', by="interaction_id::text") }}

with interactions as (
    select * from {{ raw('engage', 'interactions', by="interaction_id::text") }}
)

select
    'engage' as source,
    interaction_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    cookie,
    action,
    channel,
    place as interaction_source,
    medium,
    campaign_id::text as campaign_key,
    product_id::text as product_key,
    seconds::numeric as duration_seconds,
    detail,
    occurred_at
from interactions
