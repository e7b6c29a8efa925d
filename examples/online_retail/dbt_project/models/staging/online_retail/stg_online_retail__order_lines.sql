{{ staged('online_retail', 'invoice_lines', by='invoice_no', replaces='order_key') }}

with invoice_lines as (
    select * from {{ raw('online_retail', 'invoice_lines', by='invoice_no') }}
)

select
    'online_retail' as source,
    _file || '-' || _line as source_key,
    _loaded_at,
    invoice_no as order_key,
    upper(stock_code) as product_key,
    case
        when invoice_no like 'C%' then 'refund'
        when invoice_no like 'A%' or quantity <= 0 then 'adjustment'
        else 'sale'
    end as line_type,
    quantity::numeric as quantity,
    unit_price,
    quantity * unit_price as amount,
    0::numeric as discount,
    'GBP' as currency
from invoice_lines
