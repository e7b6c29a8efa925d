{{ staged('engage', 'redemptions', by="redemption_id::text") }}

with redemptions as (
    select * from {{ raw('engage', 'redemptions', by="redemption_id::text") }}
)

select
    'engage' as source,
    redemption_id::text as source_key,
    _loaded_at,
    offer_id::text as offer_key,
    member_id::text as customer_key,
    kind,
    value,
    currency,
    redeemed_at
from redemptions
