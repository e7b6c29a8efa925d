{{ staged('online_retail', 'invoice_lines', by="split_part(customer_id, '.', 1)") }}

with invoice_lines as (
    select * from {{ raw('online_retail', 'invoice_lines', by="split_part(customer_id, '.', 1)") }}
)

select
    'online_retail' as source,
    split_part(customer_id, '.', 1) as source_key,
    max(_loaded_at) as _loaded_at,
    split_part(customer_id, '.', 1) as customer_key,
    'person' as kind,
    (array_agg(country order by invoiced_at desc, _file desc, _line desc))[1] as country,
    min(invoiced_at) as created_at,
    max(invoiced_at) as updated_at
from invoice_lines
where customer_id is not null
group by split_part(customer_id, '.', 1)
