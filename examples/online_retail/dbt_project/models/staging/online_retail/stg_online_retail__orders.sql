{{ staged('online_retail', 'invoice_lines', by='invoice_no') }}

with invoice_lines as (
    select * from {{ raw('online_retail', 'invoice_lines', by='invoice_no') }}
)

select
    'online_retail' as source,
    invoice_no as source_key,
    max(_loaded_at) as _loaded_at,
    max(split_part(customer_id, '.', 1)) as customer_key,
    case when invoice_no like 'C%' then 'refund' else 'sale' end as order_type,
    min(invoiced_at) as ordered_at,
    'completed' as status,
    'web' as channel,
    'GBP' as currency
from invoice_lines
group by invoice_no
