{{ per_customer(indexes=[{'columns': ['source', 'order_key']}]) }}

{#- A line that is surely a purchase: something was bought and paid for. -#}
{% set clean %}
    order_lines.line_type <> 'refund' and order_lines.quantity > 0 and order_lines.amount > 0
{%- endset %}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

orders as (
    select * from {{ ref('contract_orders') }}
),

order_lines as (
    select * from {{ ref('contract_order_lines') }}
),

customers_orders as (
    select
        refs.customer_id,
        orders.*
    from refs
    inner join orders
        on refs.source = orders.source and refs.customer_key = orders.customer_key
    where {{ changed('refs') }}
),

totals as (
    select
        customers_orders.source,
        customers_orders.source_key,
        count(*)::int as lines,
        sum(order_lines.quantity) as quantity,
        sum(order_lines.amount) filter (where order_lines.line_type <> 'refund') as gross_amount,
        sum(order_lines.amount) filter (where order_lines.line_type = 'refund') as refund_amount,
        sum(order_lines.discount) as discount,
        sum(order_lines.amount) as net_amount,
        count(*) filter (where {{ clean }})::int as clean_lines,
        sum(order_lines.amount) filter (where {{ clean }}) as clean_amount
    from customers_orders
    inner join order_lines
        on
            customers_orders.source = order_lines.source
            and customers_orders.source_key = order_lines.order_key
    group by customers_orders.source, customers_orders.source_key
)

select
    customers_orders.customer_id,
    customers_orders.source,
    customers_orders.source_key as order_key,
    customers_orders.order_type,
    customers_orders.ordered_at,
    customers_orders.status,
    customers_orders.channel,
    customers_orders.store,
    customers_orders.campaign_key,
    customers_orders.currency,
    coalesce(totals.lines, 0) as lines,
    coalesce(totals.quantity, 0) as quantity,
    coalesce(totals.gross_amount, 0) as gross_amount,
    coalesce(totals.refund_amount, 0) as refund_amount,
    coalesce(totals.discount, 0) as discount,
    coalesce(totals.net_amount, 0) as net_amount,
    coalesce(totals.clean_lines, 0) as clean_lines,
    coalesce(totals.clean_amount, 0) as clean_amount
from customers_orders
left join totals
    on
        customers_orders.source = totals.source
        and customers_orders.source_key = totals.source_key
