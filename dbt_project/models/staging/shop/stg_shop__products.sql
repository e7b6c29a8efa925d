{{ staged('shop', 'products', by="product_id::text") }}

with products as (
    select * from {{ raw('shop', 'products', by="product_id::text") }}
)

select
    'shop' as source,
    product_id::text as source_key,
    _loaded_at,
    product_id::text as product_key,
    concat_ws(', ', name, package_size) as name,
    initcap(department) as category,
    initcap(category) as subcategory,
    brand,
    unit_price,
    null::numeric as unit_cost,
    currency
from products
