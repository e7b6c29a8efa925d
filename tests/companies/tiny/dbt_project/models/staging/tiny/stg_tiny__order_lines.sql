{{ staged('tiny', 'lines', by='order_id', replaces='order_key') }}

select
    'tiny' as source,
    order_id || '-' || _file || '-' || _line as source_key,
    _loaded_at,
    order_id as order_key,
    product as product_key,
    kind as line_type,
    quantity,
    amount / nullif(quantity, 0) as unit_price,
    amount,
    0 as discount,
    currency
from {{ raw('tiny', 'lines', by='order_id') }} as lines
