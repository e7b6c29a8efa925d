{{ as_of_model() }}

with taxonomy as (
    select
        channel,
        is_paid,
        unnest(string_to_array(spellings, '|') || channel) as spelling
    from {{ ref('acquisition_channels') }}
),

won as (
    select
        date_trunc('month', first_order_at at time zone '{{ var("time_zone") }}')::date as month,
        coalesce(acquisition_channel, 'unknown') as channel,
        count(*) as customers_won,
        sum(net_revenue) as net_revenue,
        sum(orders_left_out)::bigint as orders_left_out
    from {{ ref('customers') }}
    where first_order_at is not null
    group by 1, 2
),

costs as (
    select
        date_trunc('month', daily.cost_date)::date as month,
        case
            when daily.channel is null then 'unknown' else coalesce(taxonomy.channel, 'other')
        end as channel,
        sum(daily.cost) filter (where daily.currency = '{{ var("reporting_currency") }}') as cost,
        count(distinct daily.source || ':' || daily.campaign_key) filter (
            where daily.currency is distinct from '{{ var("reporting_currency") }}'
        ) as campaigns_left_out
    from {{ ref('campaign_daily_costs') }} as daily
    left join taxonomy on lower(trim(daily.channel)) = taxonomy.spelling
    group by 1, 2
),

paid as (
    select
        channel,
        is_paid
    from {{ ref('acquisition_channels') }}
)

select
    month,
    channel,
    coalesce(paid.is_paid, false) as is_paid,
    coalesce(won.customers_won, 0) as customers_won,
    coalesce(costs.cost, 0)::numeric(20, 4) as cost,
    (costs.cost / nullif(won.customers_won, 0))::numeric(20, 4) as cost_per_customer,
    coalesce(won.net_revenue, 0)::numeric(20, 4) as net_revenue,
    (won.net_revenue / won.customers_won)::numeric(20, 4) as net_revenue_per_customer,
    (won.net_revenue / nullif(costs.cost, 0))::numeric(20, 4) as revenue_per_cost,
    '{{ var("reporting_currency") }}' as currency,
    coalesce(costs.campaigns_left_out, 0) as campaigns_left_out,
    coalesce(won.orders_left_out, 0) as orders_left_out
from won
full outer join costs using (month, channel)
left join paid using (channel)
