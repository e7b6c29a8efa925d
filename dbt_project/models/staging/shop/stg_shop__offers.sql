{% set pair = "(campaign_id::text || '-' || coupon_upc::text)" %}
{{ staged('shop', 'coupons', by=pair) }}

with coupons as (
    select * from {{ raw('shop', 'coupons', by=pair) }}
)

select
    'shop' as source,
    campaign_id || '-' || coupon_upc as source_key,
    _loaded_at,
    campaign_id || '-' || coupon_upc as offer_key,
    campaign_id::text as campaign_key,
    'coupon' as kind,
    'Coupon ' || coupon_upc || ', good for ' || products || ' products' as name,
    starts_at,
    ends_at
from coupons
