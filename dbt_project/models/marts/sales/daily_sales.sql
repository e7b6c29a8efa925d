{{ population() }}

with orders as (
    select * from {{ ref('orders') }}
    where status = 'completed' and ordered_at is not null
)

select
    order_date as date,
    currency,
    count(*) filter (where order_type = 'sale') as orders,
    count(*) filter (where order_type = 'refund') as refund_orders,
    count(*) filter (where order_type = 'sale' and is_guest) as guest_orders,
    count(distinct customer_id) as customers,
    sum(lines) as lines,
    sum(gross_amount) as gross_revenue,
    sum(refund_amount) as refunds,
    sum(discount) as discounts,
    sum(net_amount) as net_revenue
from orders
group by order_date, currency
