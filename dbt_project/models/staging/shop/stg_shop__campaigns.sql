{{ staged('shop', 'campaigns', by="campaign_id::text") }}

with campaigns as (
    select * from {{ raw('shop', 'campaigns', by="campaign_id::text") }}
)

select
    'shop' as source,
    campaign_id::text as source_key,
    _loaded_at,
    campaign_id::text as campaign_key,
    name,
    channel,
    campaign_type as kind,
    starts_at,
    ends_at,
    null::numeric as cost,
    null::text as currency
from campaigns
