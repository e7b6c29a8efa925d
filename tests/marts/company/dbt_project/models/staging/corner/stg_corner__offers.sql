{{ staged('corner', 'offers', by='offer_id') }}

select
    'corner' as source,
    offer_id as source_key,
    _loaded_at,
    offer_id as offer_key,
    campaign_id as campaign_key
from {{ raw('corner', 'offers', by='offer_id') }} as offers
