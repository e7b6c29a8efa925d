-- What a customer got back is matched with a purchase or is not; both together are all refunds.
with refund_matches as (
    select * from {{ ref('refund_matches') }}
),

customer_sales as (
    select * from {{ ref('customer_sales') }}
),

netted as (
    select
        customer_id,
        source,
        currency,
        sum(matched_amount + unmatched_amount) as refunds
    from refund_matches
    group by customer_id, source, currency
)

select
    customer_sales.customer_id,
    customer_sales.source
from customer_sales
left join netted
    on
        customer_sales.customer_id = netted.customer_id
        and customer_sales.source = netted.source
        and customer_sales.currency = netted.currency
where customer_sales.refunds <> coalesce(netted.refunds, 0)
