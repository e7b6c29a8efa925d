{{ staged('engage', 'costs', by="cost_id::text") }}

with costs as (
    select * from {{ raw('engage', 'costs', by="cost_id::text") }}
)

select
    'engage' as source,
    cost_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    kind,
    amount,
    currency,
    incurred_at
from costs
