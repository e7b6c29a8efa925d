{{ staged('tiny', 'people', by='person_id') }}

select
    'tiny' as source,
    person_id as source_key,
    _loaded_at,
    person_id as customer_key,
    'email' as channel,
    'marketing' as purpose,
    email_consent as status,
    updated_at as changed_at,
    'consent' as legal_basis
from {{ raw('tiny', 'people', by='person_id') }} as people
where email_consent is not null
