{{ per_customer(indexes=[{'columns': ['customer_id', 'occurred_at', 'event_id']}]) }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
    where {{ changed('customer_refs') }}
),

customer_orders as (
    select * from {{ ref('customer_orders') }}
    where {{ changed('customer_orders') }}
),

customer_profiles as (
    select * from {{ ref('customer_profiles') }}
    where {{ changed('customer_profiles') }}
),

customer_cookies as (
    select * from {{ ref('customer_cookies') }}
    where {{ changed('customer_cookies') }}
),

events as (
    select
        customer_id,
        created_at as occurred_at,
        'first_seen' as event_type,
        '' as source,
        first_record as source_key,
        null::numeric as amount,
        null as currency,
        acquisition_channel as channel,
        null as campaign_key,
        null as product_key,
        null::numeric as value,
        null as kind,
        null as detail
    from customer_profiles

    union all

    select
        customer_id,
        ordered_at,
        case
            when status = 'cancelled' then 'order_cancelled'
            when order_type = 'refund' then 'refund'
            else 'order'
        end,
        source,
        order_key,
        net_amount,
        currency,
        channel,
        campaign_key,
        null,
        null,
        null,
        null
    from customer_orders

    union all

    {{ matter_events() }}
)

select
    customer_id,
    occurred_at,
    event_type,
    md5(event_type || '|' || source || '|' || source_key) as event_id,
    source,
    source_key,
    amount,
    currency,
    channel,
    campaign_key,
    product_key,
    value,
    kind,
    detail
from events
where occurred_at is not null
