{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

referrals as (
    select
        *,
        case when converted_at <= {{ as_of() }} then converted_at end as bought_at,
        case when rewarded_at <= {{ as_of() }} then rewarded_at end as thanked_at
    from {{ ref('contract_referrals') }}
    where referred_at <= {{ as_of() }}
)

select
    referrals.source,
    referrals.source_key as referral_key,
    referrers.customer_id,
    referred.customer_id as referred_customer_id,
    referrals.channel,
    referrals.referred_at,
    referrals.bought_at as converted_at,
    referrals.thanked_at as rewarded_at,
    case
        when referrals.thanked_at is not null then 'rewarded'
        when referrals.bought_at is not null then 'converted'
        else 'open'
    end as state,
    (extract(epoch from referrals.bought_at - referrals.referred_at) / 86400)::numeric(12, 3)
        as days_to_conversion,
    referrals.reward::numeric(20, 4) as reward,
    referrals.currency
from referrals
inner join refs as referrers
    on referrals.source = referrers.source and referrals.customer_key = referrers.customer_key
left join refs as referred
    on referrals.source = referred.source and referrals.referred_key = referred.customer_key
