{{ staged('corner', 'orders', by='order_id') }}

select
    'corner' as source,
    order_id as source_key,
    _loaded_at,
    person_id as customer_key,
    order_type,
    ordered_at,
    status,
    'store' as channel,
    currency,
    refund_of
from {{ raw('corner', 'orders', by='order_id') }} as orders
