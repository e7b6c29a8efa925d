{{ per_customer() }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

consents as (
    select * from {{ ref('contract_consents') }}
),

events as (
    select * from {{ ref('customer_events') }}
    where {{ changed('customer_events') }}
),

decisions as (
    select
        refs.customer_id,
        consents.channel,
        coalesce(consents.purpose, 'marketing') as purpose,
        consents.status,
        consents.changed_at,
        consents.legal_basis,
        consents.source,
        consents.source_key
    from refs
    inner join consents
        on refs.source = consents.source and refs.customer_key = consents.customer_key
    where {{ changed('refs') }}
),

stops as (
    -- Who unsubscribes, complains or cannot be reached has withdrawn, until there is a newer grant.
    select
        customer_id,
        channel,
        case event_type
            when 'message_unsubscribed' then 'unsubscribed'
            when 'message_complained' then 'complained'
            else 'hard bounce'
        end as legal_basis,
        occurred_at,
        source,
        source_key
    from events
    where
        channel in ('email', 'sms', 'post')
        and (
            event_type in ('message_unsubscribed', 'message_complained')
            or (event_type = 'message_bounced' and detail = 'hard')
        )
),

stopped as (
    select
        customer_id,
        channel,
        purpose
    from decisions

    union

    select
        customer_id,
        channel,
        'marketing' as purpose
    from stops
),

told as (
    select * from decisions

    union all

    select
        stops.customer_id,
        stops.channel,
        stopped.purpose,
        'withdrawn' as status,
        stops.occurred_at as changed_at,
        stops.legal_basis,
        stops.source,
        stops.source_key
    from stops
    inner join stopped
        on stops.customer_id = stopped.customer_id and stops.channel = stopped.channel
)

-- The newest decision stands; of two at the same instant a withdrawal wins.
select distinct on (customer_id, channel, purpose)
    customer_id,
    channel,
    purpose,
    status,
    changed_at,
    legal_basis,
    source
from told
order by
    customer_id,
    channel,
    purpose,
    changed_at desc,
    status desc,
    source_key
