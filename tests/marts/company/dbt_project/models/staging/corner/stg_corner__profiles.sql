{{ staged('corner', 'people', by='person_id') }}

select
    'corner' as source,
    person_id as source_key,
    _loaded_at,
    person_id as customer_key,
    'person' as kind,
    full_name,
    email,
    acquisition_channel,
    created_at,
    updated_at
from {{ raw('corner', 'people', by='person_id') }} as people
