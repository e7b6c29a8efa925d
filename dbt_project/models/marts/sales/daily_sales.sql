{{ population() }}

with orders as (
    select * from {{ ref('orders') }}
    where status = 'completed' and ordered_at is not null
),

known as (
    select distinct
        order_date,
        currency,
        customer_id
    from orders
    where not is_guest
),

buyers as (
    select
        order_date,
        currency,
        count(*) as customers
    from known
    group by order_date, currency
)

select
    orders.order_date as date,
    orders.currency,
    count(*) filter (where order_type = 'sale') as orders,
    count(*) filter (where order_type = 'refund') as refund_orders,
    count(*) filter (where order_type = 'sale' and is_guest) as guest_orders,
    coalesce(max(buyers.customers), 0) as customers,
    sum(lines) as lines,
    sum(gross_amount) as gross_revenue,
    sum(refund_amount) as refunds,
    sum(discount) as discounts,
    sum(net_amount) as net_revenue
from orders
left join buyers using (order_date, currency)
group by orders.order_date, orders.currency
