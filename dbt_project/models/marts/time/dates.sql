{{ as_of_model() }}

{% set zone = var('time_zone') %}

with events as (
    select * from {{ ref('customer_events') }}
),

orders as (
    select * from {{ ref('orders') }}
),

moments as (
    select min(occurred_at) as moment from events
    where isfinite(occurred_at)

    union all

    select min(ordered_at) from orders
    where isfinite(ordered_at)

    union all

    select {{ as_of() }}
),

bounds as (
    select
        (min(moment) at time zone '{{ zone }}')::date as first_date,
        ({{ as_of() }} at time zone '{{ zone }}')::date as as_of_date
    from moments
),

days as (
    select
        as_of_date,
        generate_series(first_date, as_of_date + 365, interval '1 day')::date as date
    from bounds
)

select
    date,
    extract(year from date)::int as year,
    extract(quarter from date)::int as quarter,
    extract(month from date)::int as month,
    extract(day from date)::int as day_of_month,
    extract(isoyear from date)::int as iso_year,
    extract(week from date)::int as iso_week,
    extract(isodow from date)::int as weekday,
    (array[
        'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'
    ])[extract(isodow from date)::int] as weekday_name,
    extract(isodow from date) >= 6 as is_weekend,
    date_trunc('week', date)::date as week_start,
    date_trunc('month', date)::date as month_start,
    date_trunc('quarter', date)::date as quarter_start,
    date_trunc('year', date)::date as year_start,
    date > as_of_date as is_future
from days
