{{ staged('online_retail', 'invoice_lines', by='upper(stock_code)') }}

with invoice_lines as (
    select * from {{ raw('online_retail', 'invoice_lines', by='upper(stock_code)') }}
)

select
    'online_retail' as source,
    upper(stock_code) as source_key,
    max(_loaded_at) as _loaded_at,
    upper(stock_code) as product_key,
    (array_agg(description order by invoiced_at desc, _file desc, _line desc)
        filter (where description is not null and unit_price > 0))[1] as name,
    (array_agg(unit_price order by invoiced_at desc, _file desc, _line desc)
        filter (where unit_price > 0))[1] as unit_price,
    'GBP' as currency
from invoice_lines
group by upper(stock_code)
