{{ per_customer() }}

with customer_orders as (
    select * from {{ ref('customer_orders') }}
),

contract_orders as (
    select * from {{ ref('contract_orders') }}
),

order_lines as (
    select * from {{ ref('contract_order_lines') }}
),

refunding as (
    select distinct customer_id
    from customer_orders
    where {{ changed('customer_orders') }} and refund_amount < 0
),

lines as (
    select
        customer_orders.customer_id,
        customer_orders.ordered_at,
        customer_orders.source,
        customer_orders.order_key,
        coalesce(customer_orders.currency, 'XXX') as currency,
        contract_orders.refund_of,
        order_lines.source_key as line_key,
        order_lines.product_key,
        order_lines.line_type,
        order_lines.amount,
        abs(order_lines.quantity) as quantity,
        abs(order_lines.unit_price) as unit_price
    from refunding
    inner join customer_orders on refunding.customer_id = customer_orders.customer_id
    inner join contract_orders
        on
            customer_orders.source = contract_orders.source
            and customer_orders.order_key = contract_orders.source_key
    inner join order_lines
        on
            customer_orders.source = order_lines.source
            and customer_orders.order_key = order_lines.order_key
    where customer_orders.status = 'completed' and order_lines.amount <> 0
),

refunds as (
    select * from lines
    where line_type = 'refund'
),

matched as (
    -- Of the earlier purchases of the product: best the order that the refund names, then the same
    -- price, then one large enough, then the latest.
    select distinct on (refunds.source, refunds.line_key)
        refunds.*,
        sales.order_key as sale_order_key,
        sales.line_key as sale_line_key,
        sales.ordered_at as sold_at,
        sales.quantity as sold_quantity,
        case
            when sales.line_key is null then 'unmatched'
            when sales.order_key = refunds.refund_of then 'named order'
            when sales.unit_price = refunds.unit_price then 'same price'
            else 'same product'
        end as matched_by
    from refunds
    left join lines as sales
        on
            refunds.customer_id = sales.customer_id
            and refunds.source = sales.source
            and refunds.product_key = sales.product_key
            and refunds.currency = sales.currency
            and refunds.ordered_at >= sales.ordered_at
            and sales.line_type <> 'refund'
            and sales.amount > 0
    order by
        refunds.source asc,
        refunds.line_key asc,
        coalesce(sales.order_key = refunds.refund_of, false) desc,
        coalesce(sales.unit_price = refunds.unit_price, false) desc,
        coalesce(sales.quantity >= refunds.quantity, false) desc,
        sales.ordered_at desc nulls last,
        sales.line_key desc
),

served as (
    -- Of a purchase no more can be given back than was bought; earlier refunds are served first.
    select
        *,
        sum(quantity) over earlier as served_before
    from matched
    window earlier as (
        partition by source, sale_line_key
        order by ordered_at, line_key
        rows between unbounded preceding and 1 preceding
    )
),

limited as (
    select
        *,
        case
            when sale_line_key is null then 0
            else greatest(0, least(quantity, sold_quantity - coalesce(served_before, 0)))
        end as matched_quantity
    from served
),

priced as (
    select
        *,
        case
            when matched_quantity = quantity then amount
            else round(amount * matched_quantity / nullif(quantity, 0), 2)
        end as matched_amount
    from limited
)

select
    customer_id,
    source,
    line_key as refund_line_key,
    order_key as refund_order_key,
    product_key,
    ordered_at as refunded_at,
    quantity,
    amount,
    currency,
    sale_order_key,
    sale_line_key,
    sold_at,
    matched_by,
    matched_quantity,
    coalesce(matched_amount, 0) as matched_amount,
    amount - coalesce(matched_amount, 0) as unmatched_amount
from priced
