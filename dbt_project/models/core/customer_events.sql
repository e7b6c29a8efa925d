{{ per_customer(indexes=[{'columns': ['customer_id', 'occurred_at', 'event_id']}]) }}

{#- Each entry: the contract table, its time, the event, its detail, channel and campaign. -#}
{% set matters = [
    ('campaign_targets', 'targeted_at', "'campaign_targeted'", 'arm', 'null', 'campaign_key'),
    ('offer_redemptions', 'redeemed_at', "'offer_redeemed'", 'offer_key', 'null', 'campaign_key'),
    ('stage_changes', 'changed_at', "'crm_stage'", 'stage', 'null', 'null'),
    ('tickets', 'opened_at', "'ticket_opened'", 'topic', 'null', 'null'),
    ('tickets', 'solved_at', "'ticket_solved'", 'topic', 'null', 'null'),
    ('survey_answers', 'answered_at', "'survey_answered'", 'survey', 'null', 'null'),
    ('interactions', 'occurred_at', "'interaction'", 'action', 'channel', 'campaign_key'),
    ('messages', 'occurred_at', "'message'", 'event', 'channel', 'campaign_key'),
    ('consents', 'changed_at', "'consent_' || status", 'purpose', 'channel', 'null'),
] %}

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
        null
    from customer_orders

    {% for table, at, type, detail, channel, campaign_key in matters %}
    union all

    select
        refs.customer_id,
        records.{{ at }},
        {{ type }},
        records.source,
        records.source_key,
        null,
        null,
        {{ channel }},
        {{ campaign_key }},
        {{ detail }}
    from refs
    inner join {{ ref('contract_' ~ table) }} as records
        on refs.source = records.source and refs.customer_key = records.customer_key
    {% endfor %}
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
    detail
from events
where occurred_at is not null
