{{ per_customer(indexes=[{'columns': ['source', 'order_key']}]) }}

{#- Nobody's orders change with no customer: they are taken whole each time. -#}
{{ config(
    pre_hook="{% if is_incremental() %}delete from {{ this }} where customer_id is null{% endif %}"
) }}

with customer_orders as (
    select
        customer_id,
        source,
        order_key,
        order_type,
        ordered_at,
        status,
        channel,
        store,
        campaign_key,
        currency,
        lines,
        quantity,
        gross_amount,
        refund_amount,
        discount,
        net_amount
    from {{ ref('customer_orders') }}
    where {{ changed('customer_orders') }}
),

refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

contract_orders as (
    select * from {{ ref('contract_orders') }}
),

order_lines as (
    select * from {{ ref('contract_order_lines') }}
),

guests as (
    select contract_orders.*
    from contract_orders
    left join refs
        on contract_orders.source = refs.source and contract_orders.customer_key = refs.customer_key
    where refs.customer_id is null
),

guest_orders as (
    select
        null::text as customer_id,
        guests.source,
        guests.source_key as order_key,
        guests.order_type,
        guests.ordered_at,
        guests.status,
        guests.channel,
        guests.store,
        guests.campaign_key,
        guests.currency,
        count(order_lines.order_key)::int as lines,
        sum(order_lines.quantity) as quantity,
        sum(order_lines.amount) filter (where order_lines.line_type <> 'refund') as gross_amount,
        sum(order_lines.amount) filter (where order_lines.line_type = 'refund') as refund_amount,
        sum(order_lines.discount) as discount,
        sum(order_lines.amount) as net_amount
    from guests
    left join order_lines
        on guests.source = order_lines.source and guests.source_key = order_lines.order_key
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
),

all_orders as (
    select * from customer_orders
    union all
    select * from guest_orders
)

select
    source,
    order_key,
    customer_id,
    customer_id is null as is_guest,
    order_type,
    ordered_at,
    (ordered_at at time zone '{{ var("time_zone") }}')::date as order_date,
    status,
    channel,
    store,
    campaign_key,
    coalesce(currency, 'XXX') as currency,
    lines,
    coalesce(quantity, 0) as quantity,
    coalesce(gross_amount, 0) as gross_amount,
    coalesce(refund_amount, 0) as refund_amount,
    coalesce(discount, 0) as discount,
    coalesce(net_amount, 0) as net_amount
from all_orders
