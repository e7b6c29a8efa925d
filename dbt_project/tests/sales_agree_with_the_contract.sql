-- Money in = money out: documents, lines and amounts of the accepted records equal the marts'.
with orders as (
    select * from {{ ref('contract_orders') }}
),

order_lines as (
    select * from {{ ref('contract_order_lines') }}
),

sales_totals as (
    select * from {{ ref('sales_totals') }}
),

received as (
    select
        orders.source,
        count(distinct orders.source_key) as documents,
        count(order_lines.source_key) as lines,
        coalesce(sum(order_lines.amount), 0) as amount
    from orders
    left join order_lines
        on orders.source = order_lines.source and orders.source_key = order_lines.order_key
    group by orders.source
),

shown as (
    select
        source,
        sum(orders + refund_orders + cancelled_orders) as documents,
        sum(lines) as lines,
        sum(net_revenue + cancelled_amount) as amount
    from sales_totals
    group by source
)

select *
from received
full outer join shown using (source)
where
    (received.documents, received.lines, received.amount)
    is distinct from (shown.documents, shown.lines, shown.amount)
