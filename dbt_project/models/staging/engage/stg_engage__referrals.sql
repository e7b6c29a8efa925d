{{ staged('engage', 'referrals', by="referral_id::text") }}

with referrals as (
    select * from {{ raw('engage', 'referrals', by="referral_id::text") }}
)

select
    'engage' as source,
    referral_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    referred_id::text as referred_key,
    channel,
    referred_at,
    converted_at,
    rewarded_at,
    reward,
    currency
from referrals
