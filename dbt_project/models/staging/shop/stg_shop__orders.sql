{{ staged('shop', 'orders', by="order_id::text") }}

with orders as (
    select * from {{ raw('shop', 'orders', by="order_id::text") }}
)

select
    'shop' as source,
    order_id::text as source_key,
    _loaded_at,
    customer_id::text as customer_key,
    'sale' as order_type,
    ordered_at,
    status,
    channel,
    store_id::text as store,
    null::text as campaign_key,
    currency,
    null::text as refund_of
from orders
