{{ as_of_model() }}

{% set zone = var('time_zone') %}

with purchases as (
    select
        customer_id,
        date_trunc('month', ordered_at at time zone '{{ zone }}')::date as month,
        order_type,
        case when currency = '{{ var("reporting_currency") }}' then net_amount else 0 end
            as net_amount,
        (currency is distinct from '{{ var("reporting_currency") }}')::integer as is_left_out
    from {{ ref('orders') }}
    where status = 'completed' and not is_guest and ordered_at <= {{ as_of() }}
),

firsts as (
    select
        customer_id,
        min(month) as cohort
    from purchases
    where order_type = 'sale'
    group by customer_id
),

sizes as (
    select
        cohort,
        count(*) as customers
    from firsts
    group by cohort
),

-- Every month up to the one that the run speaks in, also those in which nobody came.
calendar as (
    select
        sizes.cohort,
        sizes.customers,
        months.month::date as month
    from sizes
    cross join lateral generate_series(
        sizes.cohort::timestamp,
        date_trunc('month', {{ as_of() }} at time zone '{{ zone }}'),
        interval '1 month'
    ) as months (month)
),

monthly as (
    select
        firsts.cohort,
        purchases.month,
        count(distinct purchases.customer_id) filter (where purchases.order_type = 'sale')
            as active_customers,
        count(*) filter (where purchases.order_type = 'sale') as orders,
        sum(purchases.net_amount) as net_revenue,
        sum(purchases.is_left_out) as orders_left_out
    from firsts
    inner join purchases using (customer_id)
    group by firsts.cohort, purchases.month
)

select
    calendar.cohort,
    (
        (extract(year from calendar.month) - extract(year from calendar.cohort)) * 12
        + extract(month from calendar.month) - extract(month from calendar.cohort)
    )::integer as months_since,
    calendar.month,
    calendar.customers,
    coalesce(monthly.active_customers, 0) as active_customers,
    (coalesce(monthly.active_customers, 0)::numeric / calendar.customers)::numeric(6, 5)
        as retention,
    coalesce(monthly.orders, 0) as orders,
    coalesce(monthly.net_revenue, 0)::numeric(20, 4) as net_revenue,
    '{{ var("reporting_currency") }}' as currency,
    coalesce(monthly.orders_left_out, 0)::bigint as orders_left_out
from calendar
left join monthly using (cohort, month)
