{{ population() }}

with orders as (
    select * from {{ ref('orders') }}
),

customer_sales as (
    select * from {{ ref('customer_sales') }}
),

refund_matches as (
    select * from {{ ref('refund_matches') }}
),

totals as (
    select
        source,
        currency,
        count(*) filter (where order_type = 'sale' and status = 'completed') as orders,
        count(*) filter (where order_type = 'refund' and status = 'completed') as refund_orders,
        count(*) filter (where status = 'cancelled') as cancelled_orders,
        count(*) filter (where is_guest) as guest_orders,
        sum(lines) as lines,
        coalesce(sum(lines) filter (where status = 'cancelled'), 0) as cancelled_lines,
        coalesce(sum(lines) filter (where is_guest), 0) as guest_lines,
        coalesce(sum(gross_amount) filter (where status = 'completed'), 0) as gross_revenue,
        coalesce(sum(refund_amount) filter (where status = 'completed'), 0) as refunds,
        coalesce(sum(net_amount) filter (where status = 'completed'), 0) as net_revenue,
        coalesce(sum(net_amount) filter (where status = 'completed' and is_guest), 0)
            as guest_net_revenue,
        coalesce(sum(net_amount) filter (where status = 'cancelled'), 0) as cancelled_amount
    from orders
    group by source, currency
),

known as (
    select distinct
        source,
        currency,
        customer_id
    from orders
    where not is_guest
),

buyers as (
    select
        source,
        currency,
        count(*) as customers
    from known
    group by source, currency
),

clean as (
    select
        source,
        currency,
        count(*) filter (where clean_lines > 0) as clean_customers,
        sum(clean_lines)::bigint as clean_lines,
        sum(clean_revenue) as clean_revenue
    from customer_sales
    group by source, currency
),

refunds as (
    select
        source,
        currency,
        sum(matched_amount) as matched_refunds,
        sum(unmatched_amount) as unmatched_refunds
    from refund_matches
    group by source, currency
)

select
    totals.*,
    coalesce(buyers.customers, 0) as customers,
    coalesce(clean.clean_customers, 0) as clean_customers,
    coalesce(clean.clean_lines, 0) as clean_lines,
    coalesce(clean.clean_revenue, 0) as clean_revenue,
    coalesce(refunds.matched_refunds, 0) as matched_refunds,
    coalesce(refunds.unmatched_refunds, 0) as unmatched_refunds
from totals
left join buyers using (source, currency)
left join clean using (source, currency)
left join refunds using (source, currency)
