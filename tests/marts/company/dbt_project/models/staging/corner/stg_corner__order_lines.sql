{{ staged('corner', 'lines', by='order_id', replaces='order_key') }}

select
    'corner' as source,
    line_id as source_key,
    _loaded_at,
    order_id as order_key,
    product as product_key,
    line_type,
    quantity,
    unit_price,
    amount,
    0 as discount,
    currency
from {{ raw('corner', 'lines', by='order_id') }} as lines
