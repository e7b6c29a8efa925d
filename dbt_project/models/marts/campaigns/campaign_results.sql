{{ as_of_model() }}

with campaigns as (
    select
        *,
        observed_until is not null as has_begun
    from {{ ref('campaigns') }}
),

treated as (
    select * from {{ ref('campaign_customers') }}
    where arm = 'treatment'
),

held_out as (
    select
        source,
        campaign_key,
        count(*) as held_out
    from {{ ref('campaign_customers') }}
    where arm = 'holdout'
    group by source, campaign_key
),

redeemed as (
    select
        source,
        campaign_key,
        count(*) as redemptions
    from {{ ref('campaign_redemptions') }}
    group by source, campaign_key
),

sums as (
    select
        source,
        campaign_key,
        count(*) as targeted,
        count(*) filter (where redemptions > 0) as redeemers,
        sum(redemptions)::bigint as redemptions,
        count(*) filter (where orders > 0) as responders,
        sum(orders)::bigint as orders,
        sum(net_revenue) as net_revenue,
        sum(orders_before)::bigint as orders_before,
        sum(net_revenue_before) as net_revenue_before,
        sum(orders_left_out)::bigint as orders_left_out
    from treated
    group by source, campaign_key
),

results as (
    select
        *,
        (redeemers::numeric / targeted)::numeric(12, 6) as redemption_rate,
        (responders::numeric / targeted)::numeric(12, 6) as response_rate,
        (net_revenue / targeted)::numeric(20, 4) as revenue_per_targeted,
        (net_revenue_before / targeted)::numeric(20, 4) as revenue_per_targeted_before
    from sums
)

select
    campaigns.source,
    campaigns.campaign_key,
    campaigns.name,
    campaigns.channel,
    campaigns.kind,
    campaigns.state,
    campaigns.starts_at,
    campaigns.ends_at,
    campaigns.observed_until,
    coalesce(results.targeted, 0) as targeted,
    coalesce(held_out.held_out, 0) as held_out,
    coalesce(results.redeemers, 0) as redeemers,
    coalesce(results.redemptions, 0) as redemptions,
    coalesce(redeemed.redemptions, 0) - coalesce(results.redemptions, 0) as redemptions_by_others,
    case when campaigns.has_begun then results.redemption_rate end as redemption_rate,
    coalesce(results.responders, 0) as responders,
    case when campaigns.has_begun then results.response_rate end as response_rate,
    coalesce(results.orders, 0) as orders,
    coalesce(results.net_revenue, 0) as net_revenue,
    case when campaigns.has_begun then results.revenue_per_targeted end as revenue_per_targeted,
    case when campaigns.is_comparable then results.orders_before end as orders_before,
    case when campaigns.is_comparable then results.net_revenue_before end as net_revenue_before,
    case when campaigns.is_comparable then results.revenue_per_targeted_before end
        as revenue_per_targeted_before,
    case
        when campaigns.is_comparable
            then results.revenue_per_targeted - results.revenue_per_targeted_before
    end as change_per_targeted,
    case
        when not campaigns.has_begun then 'not enough - the campaign has not begun'
        when results.targeted is null then 'not enough - no known customer was targeted'
        when not campaigns.is_comparable
            then 'not enough - no orders are known from the whole window of comparison'
        else 'observational - the same customers in the equally long window before; no causal claim'
    end as comparison,
    '{{ var("reporting_currency") }}' as currency,
    coalesce(results.orders_left_out, 0) as orders_left_out,
    campaigns.cost,
    campaigns.currency as cost_currency
from campaigns
left join results using (source, campaign_key)
left join held_out using (source, campaign_key)
left join redeemed using (source, campaign_key)
