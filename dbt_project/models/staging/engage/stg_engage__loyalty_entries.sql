{{ staged('engage', 'loyalty', by="entry_id::text") }}

with loyalty as (
    select * from {{ raw('engage', 'loyalty', by="entry_id::text") }}
)

select
    'engage' as source,
    entry_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    kind,
    points::numeric as points,
    tier,
    entered_at
from loyalty
