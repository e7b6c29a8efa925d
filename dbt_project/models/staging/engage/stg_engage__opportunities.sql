{{ staged('engage', 'opportunities', by="opportunity_id::text") }}

with opportunities as (
    select * from {{ raw('engage', 'opportunities', by="opportunity_id::text") }}
)

select
    'engage' as source,
    opportunity_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    product_id::text as product_key,
    channel,
    stage,
    amount,
    currency,
    opened_at,
    expected_close_at,
    closed_at,
    outcome,
    reason
from opportunities
