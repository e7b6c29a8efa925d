{{ staged('engage', 'usage', by="usage_id::text") }}

with usage as (
    select * from {{ raw('engage', 'usage', by="usage_id::text") }}
)

select
    'engage' as source,
    usage_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    product_id::text as product_key,
    action,
    feature,
    minutes::numeric as quantity,
    case when minutes is not null then 'minutes' end as unit,
    used_at
from usage
