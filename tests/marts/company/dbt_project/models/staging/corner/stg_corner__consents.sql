{{ staged('corner', 'consents', by='consent_id') }}

select
    'corner' as source,
    consent_id as source_key,
    _loaded_at,
    person_id as customer_key,
    channel,
    purpose,
    status,
    changed_at
from {{ raw('corner', 'consents', by='consent_id') }} as consents
