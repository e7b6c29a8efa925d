{{ staged('corner', 'campaigns', by='campaign_id') }}

select
    'corner' as source,
    campaign_id as source_key,
    _loaded_at,
    campaign_id as campaign_key,
    name,
    'mail' as channel,
    'coupon' as kind,
    starts_at,
    ends_at,
    cost,
    currency
from {{ raw('corner', 'campaigns', by='campaign_id') }} as campaigns
