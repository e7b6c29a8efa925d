{{ staged('shop', 'order_lines', by="order_id::text", replaces='order_key') }}

with order_lines as (
    select * from {{ raw('shop', 'order_lines', by="order_id::text") }}
)

select
    'shop' as source,
    order_id || '-' || line_no as source_key,
    _loaded_at,
    order_id::text as order_key,
    product_id::text as product_key,
    'sale' as line_type,
    quantity::numeric as quantity,
    unit_price,
    amount,
    loyalty_discount + coupon_match_discount as discount,
    currency
from order_lines
