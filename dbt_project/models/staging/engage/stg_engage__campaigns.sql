{{ staged('engage', 'campaigns', by="campaign_id::text") }}

with campaigns as (
    select * from {{ raw('engage', 'campaigns', by="campaign_id::text") }}
)

select
    'engage' as source,
    campaign_id::text as source_key,
    _loaded_at,
    campaign_id::text as campaign_key,
    name,
    channel,
    kind,
    starts_at,
    ends_at,
    cost,
    currency
from campaigns
