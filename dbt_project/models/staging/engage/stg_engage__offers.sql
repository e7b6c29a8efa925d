{{ staged('engage', 'offers', by="offer_id::text") }}

with offers as (
    select * from {{ raw('engage', 'offers', by="offer_id::text") }}
)

select
    'engage' as source,
    offer_id::text as source_key,
    _loaded_at,
    offer_id::text as offer_key,
    campaign_id::text as campaign_key,
    member_id::text as customer_key,
    kind,
    name,
    value,
    currency,
    offered_at,
    offered_at as starts_at,
    ends_at
from offers
