{{ staged('tiny', 'people', by='person_id') }}

select
    'tiny' as source,
    person_id as source_key,
    _loaded_at,
    person_id as customer_key,
    'person' as kind,
    name as full_name,
    email,
    phone,
    card as loyalty_card,
    created_at,
    updated_at
from {{ raw('tiny', 'people', by='person_id') }} as people
