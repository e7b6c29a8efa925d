{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with purchases as (
    select * from {{ ref('customer_purchases') }}
    where counted_orders > 0
),

refund_matches as (
    select * from {{ ref('refund_matches') }}
    where refunded_at <= {{ as_of() }} and currency = '{{ var("reporting_currency") }}'
),

rfm_segments as (
    select * from {{ ref('rfm_segments') }}
),

refunds as (
    select
        customer_id,
        sum(matched_amount) as matched_refunds,
        sum(unmatched_amount) as unmatched_refunds
    from refund_matches
    group by customer_id
),

dated as (
    select
        *,
        (extract(epoch from {{ as_of() }} - last_order_at) / 86400)::numeric(12, 3) as recency_days
    from purchases
),

scored as (
    -- Fifths by rank: equal figures get equal scores, nobody is parted from their like by chance.
    -- Recency counts in whole weeks, or audiences would turn over with people's shopping days.
    select
        *,
        (5 * count(*) over (order by floor(recency_days / 7) desc) + count(*) over () - 1)
        / count(*) over () as recency_score,
        1 + 5 * (rank() over (order by counted_orders) - 1) / count(*) over () as frequency_score,
        1 + 5 * (rank() over (order by net_revenue) - 1) / count(*) over () as monetary_score
    from dated
)

select
    scored.customer_id,
    scored.first_order_at,
    scored.last_order_at,
    scored.recency_days,
    scored.counted_orders as orders,
    scored.gross_revenue,
    scored.refunds,
    scored.net_revenue,
    (scored.net_revenue / scored.counted_orders)::numeric(20, 4) as net_revenue_per_order,
    coalesce(refunds.matched_refunds, 0) as matched_refunds,
    coalesce(refunds.unmatched_refunds, 0) as unmatched_refunds,
    scored.currency,
    scored.recency_score::int as recency_score,
    scored.frequency_score::int as frequency_score,
    scored.monetary_score::int as monetary_score,
    rfm_segments.rfm_segment,
    scored.orders_left_out
from scored
inner join rfm_segments
    on
        scored.recency_score = rfm_segments.recency_score
        and (scored.frequency_score + scored.monetary_score + 1) / 2 = rfm_segments.value_score
left join refunds on scored.customer_id = refunds.customer_id
