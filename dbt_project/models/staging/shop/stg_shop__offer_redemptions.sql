{{ staged('shop', 'coupon_redemptions', by="redemption_id::text") }}

with coupon_redemptions as (
    select * from {{ raw('shop', 'coupon_redemptions', by="redemption_id::text") }}
)

select
    'shop' as source,
    redemption_id::text as source_key,
    _loaded_at,
    campaign_id || '-' || coupon_upc as offer_key,
    campaign_id::text as campaign_key,
    customer_id::text as customer_key,
    redeemed_at
from coupon_redemptions
