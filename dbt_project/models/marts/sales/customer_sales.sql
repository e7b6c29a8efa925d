{{ per_customer() }}

with customer_orders as (
    select * from {{ ref('customer_orders') }}
),

completed as (
    select
        *,
        coalesce(currency, 'XXX') as order_currency,
        order_type = 'sale' as is_sale,
        case when order_type = 'sale' then ordered_at end as bought_at
    from customer_orders
    where {{ changed('customer_orders') }} and status = 'completed'
)

select
    customer_id,
    source,
    order_currency as currency,
    min(bought_at) as first_order_at,
    max(bought_at) as last_order_at,
    count(*) filter (where is_sale) as orders,
    count(*) filter (where not is_sale) as refund_orders,
    sum(lines) as lines,
    sum(gross_amount) as gross_revenue,
    sum(refund_amount) as refunds,
    sum(discount) as discounts,
    sum(net_amount) as net_revenue,
    sum(clean_lines) as clean_lines,
    sum(clean_amount) as clean_revenue
from completed
group by customer_id, source, order_currency
