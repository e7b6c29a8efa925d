{% set pair = "(campaign_id::text || '-' || customer_id::text)" %}
{{ staged('shop', 'campaign_targets', by=pair) }}

with campaign_targets as (
    select * from {{ raw('shop', 'campaign_targets', by=pair) }}
)

select
    'shop' as source,
    campaign_id || '-' || customer_id as source_key,
    _loaded_at,
    campaign_id::text as campaign_key,
    customer_id::text as customer_key,
    'treatment' as arm,
    targeted_at
from campaign_targets
