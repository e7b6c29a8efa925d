{{ staged('corner', 'redemptions', by='redemption_id') }}

select
    'corner' as source,
    redemption_id as source_key,
    _loaded_at,
    offer_id as offer_key,
    campaign_id as campaign_key,
    person_id as customer_key,
    redeemed_at
from {{ raw('corner', 'redemptions', by='redemption_id') }} as redemptions
