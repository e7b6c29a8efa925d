{{ staged('engage', 'returns', by="return_id::text", replaces='order_key') }}

with taken_back as (
    select * from {{ raw('engage', 'returns', by="return_id::text") }}
)

select
    'engage' as source,
    return_id::text as source_key,
    _loaded_at,
    return_id::text as order_key,
    'refund' as line_type,
    1::numeric as quantity,
    -amount as amount,
    currency
from taken_back
