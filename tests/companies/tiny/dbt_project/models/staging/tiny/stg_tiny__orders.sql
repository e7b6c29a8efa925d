{{ staged('tiny', 'lines', by='order_id') }}

select
    'tiny' as source,
    order_id as source_key,
    max(_loaded_at) as _loaded_at,
    max(person_id) as customer_key,
    max(kind) as order_type,
    min(ordered_at) as ordered_at,
    'completed' as status,
    'store' as channel,
    max(currency) as currency
from {{ raw('tiny', 'lines', by='order_id') }} as lines
group by order_id
