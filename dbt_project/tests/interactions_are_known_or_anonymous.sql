{{ config(tags=['core']) }}

{#- Every interaction stands on exactly one timeline, or is counted among the anonymous ones. -#}
with contract as (
    select count(*) as interactions from {{ ref('contract_interactions') }}
    where occurred_at is not null
),

known as (
    select count(*) as interactions
    from {{ ref('customer_events') }} as events
    inner join {{ ref('contract_interactions') }} as records
        on events.source = records.source and events.source_key = records.source_key
    where
        events.event_type in (
            'visit', 'view', 'cart', 'impression', 'ad_click',
            'call', 'chat', 'store_visit', 'social', 'interaction'
        )
),

anonymous as (
    select coalesce(sum(interactions), 0) as interactions from {{ ref('anonymous_visitors') }}
)

select
    contract.interactions,
    known.interactions as known,
    anonymous.interactions as anonymous
from contract, known, anonymous
where contract.interactions <> known.interactions + anonymous.interactions
