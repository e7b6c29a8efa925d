{{ staged('crm', 'consents', by="consent_id::text") }}

with consents as (
    select * from {{ raw('crm', 'consents', by="consent_id::text") }}
)

select
    'crm' as source,
    consent_id::text as source_key,
    _loaded_at,
    contact_id::text as customer_key,
    channel,
    purpose,
    status,
    changed_at,
    legal_basis
from consents
