{{ staged('corner', 'stages', by='change_id') }}

select
    'corner' as source,
    change_id as source_key,
    _loaded_at,
    person_id as customer_key,
    pipeline as lifecycle,
    stage,
    changed_at
from {{ raw('corner', 'stages', by='change_id') }} as stages
