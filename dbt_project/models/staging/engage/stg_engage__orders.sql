{{ staged('engage', 'returns', by="return_id::text") }}

with taken_back as (
    select * from {{ raw('engage', 'returns', by="return_id::text") }}
)

select
    'engage' as source,
    return_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    'refund' as order_type,
    returned_at as ordered_at,
    'completed' as status,
    'service desk' as channel,
    currency
from taken_back
