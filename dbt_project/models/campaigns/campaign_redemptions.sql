{{ as_of_model() }}

with redemptions as (
    select * from {{ ref('contract_offer_redemptions') }}
    where redeemed_at <= {{ as_of() }}
),

offers as (
    select * from {{ ref('contract_offers') }}
),

refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

offered as (
    -- A redemption that names no campaign counts where its offer runs in just one.
    select
        source,
        offer_key,
        min(campaign_key) as campaign_key
    from offers
    group by source, offer_key
    having count(distinct campaign_key) = 1
)

select
    redemptions.source,
    redemptions.source_key,
    coalesce(redemptions.campaign_key, offered.campaign_key) as campaign_key,
    redemptions.offer_key,
    refs.customer_id,
    redemptions.redeemed_at
from redemptions
left join offered
    on redemptions.source = offered.source and redemptions.offer_key = offered.offer_key
left join refs
    on redemptions.source = refs.source and redemptions.customer_key = refs.customer_key
