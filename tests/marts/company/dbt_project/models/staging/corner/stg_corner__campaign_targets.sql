{{ staged('corner', 'targets', by='target_id') }}

select
    'corner' as source,
    target_id as source_key,
    _loaded_at,
    campaign_id as campaign_key,
    person_id as customer_key,
    arm,
    targeted_at
from {{ raw('corner', 'targets', by='target_id') }} as targets
