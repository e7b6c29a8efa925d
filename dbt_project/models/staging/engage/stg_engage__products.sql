{{ staged('engage', 'catalogue', by="product_id::text") }}

with catalogue as (
    select * from {{ raw('engage', 'catalogue', by="product_id::text") }}
)

select
    'engage' as source,
    product_id::text as source_key,
    _loaded_at,
    product_id::text as product_key,
    name,
    category,
    unit_price,
    unit_cost,
    currency
from catalogue
