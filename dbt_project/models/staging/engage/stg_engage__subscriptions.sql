{{ staged('engage', 'subscriptions', by="event_id::text") }}

with subscriptions as (
    select * from {{ raw('engage', 'subscriptions', by="event_id::text") }}
)

select
    'engage' as source,
    event_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    subscription_id::text as subscription_key,
    product_id::text as product_key,
    plan,
    event,
    occurred_at,
    effective_at,
    amount,
    currency,
    reason
from subscriptions
