{{ per_customer() }}

with customer_orders as (
    select * from {{ ref('customer_orders') }}
),

order_lines as (
    select * from {{ ref('contract_order_lines') }}
),

completed as (
    select
        customer_id,
        source,
        order_key,
        order_type,
        ordered_at,
        coalesce(currency, 'XXX') as currency,
        lines,
        gross_amount,
        refund_amount,
        discount,
        net_amount
    from customer_orders
    where {{ changed('customer_orders') }} and status = 'completed'
),

clean as (
    select
        completed.customer_id,
        completed.source,
        completed.currency,
        count(*) as clean_lines,
        sum(order_lines.amount) as clean_revenue
    from completed
    inner join order_lines
        on completed.source = order_lines.source and completed.order_key = order_lines.order_key
    where
        order_lines.line_type <> 'refund'
        and order_lines.quantity > 0
        and order_lines.amount > 0
    group by completed.customer_id, completed.source, completed.currency
),

totals as (
    select
        customer_id,
        source,
        currency,
        min(ordered_at) filter (where order_type = 'sale') as first_order_at,
        max(ordered_at) filter (where order_type = 'sale') as last_order_at,
        count(*) filter (where order_type = 'sale') as orders,
        count(*) filter (where order_type = 'refund') as refund_orders,
        sum(lines) as lines,
        sum(gross_amount) as gross_revenue,
        sum(refund_amount) as refunds,
        sum(discount) as discounts,
        sum(net_amount) as net_revenue
    from completed
    group by customer_id, source, currency
)

select
    totals.*,
    coalesce(clean.clean_lines, 0) as clean_lines,
    coalesce(clean.clean_revenue, 0) as clean_revenue
from totals
left join clean
    on
        totals.customer_id = clean.customer_id
        and totals.source = clean.source
        and totals.currency = clean.currency
