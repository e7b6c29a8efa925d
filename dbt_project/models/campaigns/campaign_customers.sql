{{ as_of_model() }}

with campaigns as (
    select * from {{ ref('campaigns') }}
),

targets as (
    select * from {{ ref('contract_campaign_targets') }}
),

refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

redemptions as (
    select * from {{ ref('campaign_redemptions') }}
),

orders as (
    select * from {{ ref('orders') }}
    where not is_guest and status = 'completed' and ordered_at < {{ as_of() }}
),

targeted as (
    -- A merged customer keeps the first exposure.
    select distinct on (targets.source, targets.campaign_key, refs.customer_id)
        targets.source,
        targets.campaign_key,
        refs.customer_id,
        coalesce(targets.arm, 'treatment') as arm,
        campaigns.compared_from,
        campaigns.starts_at,
        campaigns.observed_until
    from targets
    inner join refs
        on targets.source = refs.source and targets.customer_key = refs.customer_key
    inner join campaigns
        on targets.source = campaigns.source and targets.campaign_key = campaigns.campaign_key
    order by
        targets.source,
        targets.campaign_key,
        refs.customer_id,
        targets.targeted_at,
        targets.source_key
),

redeemed as (
    select
        source,
        campaign_key,
        customer_id,
        count(*) as redemptions
    from redemptions
    group by source, campaign_key, customer_id
),

bought as (
    select
        targeted.source,
        targeted.campaign_key,
        targeted.customer_id,
        orders.order_type,
        orders.net_amount,
        orders.ordered_at >= targeted.starts_at as is_within,
        orders.currency = '{{ var("reporting_currency") }}' as is_counted
    from targeted
    inner join orders
        on
            targeted.customer_id = orders.customer_id
            and targeted.compared_from <= orders.ordered_at
            and targeted.observed_until > orders.ordered_at
),

summed as (
    select
        source,
        campaign_key,
        customer_id,
        count(*) filter (where is_within and is_counted and order_type = 'sale') as orders,
        sum(net_amount) filter (where is_within and is_counted) as net_revenue,
        count(*) filter (where not is_within and is_counted and order_type = 'sale')
            as orders_before,
        sum(net_amount) filter (where not is_within and is_counted) as net_revenue_before,
        count(*) filter (where not is_counted) as orders_left_out
    from bought
    group by source, campaign_key, customer_id
)

select
    targeted.source,
    targeted.campaign_key,
    targeted.customer_id,
    targeted.arm,
    coalesce(redeemed.redemptions, 0) as redemptions,
    coalesce(summed.orders, 0) as orders,
    coalesce(summed.net_revenue, 0) as net_revenue,
    coalesce(summed.orders_before, 0) as orders_before,
    coalesce(summed.net_revenue_before, 0) as net_revenue_before,
    coalesce(summed.orders_left_out, 0) as orders_left_out
from targeted
left join redeemed using (source, campaign_key, customer_id)
left join summed using (source, campaign_key, customer_id)
