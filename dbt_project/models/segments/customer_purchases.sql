{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with orders as (
    select * from {{ ref('orders') }}
    where not is_guest and status = 'completed' and ordered_at <= {{ as_of() }}
),

marked as (
    select
        *,
        order_type = 'sale' as is_sale,
        currency = '{{ var("reporting_currency") }}' as is_counted
    from orders
)

select
    customer_id,
    min(ordered_at) filter (where is_sale) as first_order_at,
    max(ordered_at) filter (where is_sale) as last_order_at,
    count(*) filter (where is_sale) as orders,
    count(*) filter (where is_sale and is_counted) as counted_orders,
    count(*) filter (where not is_counted) as orders_left_out,
    coalesce(sum(gross_amount) filter (where is_counted), 0) as gross_revenue,
    coalesce(sum(refund_amount) filter (where is_counted), 0) as refunds,
    coalesce(sum(net_amount) filter (where is_counted), 0) as net_revenue,
    '{{ var("reporting_currency") }}' as currency
from marked
group by customer_id
