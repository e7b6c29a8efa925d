{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with entries as (
    select
        customer_id,
        occurred_at,
        event_id,
        event_type,
        value as points,
        case when event_type = 'tier_changed' then detail end as tier
    from {{ ref('customer_events') }}
    where
        event_type in (
            'points_earned', 'points_redeemed', 'points_expired', 'points_adjusted', 'tier_changed'
        )
        and occurred_at <= {{ as_of() }}
),

tiers as (
    select
        customer_id,
        event_id,
        tier,
        lag(tier) over (partition by customer_id order by occurred_at, event_id) as tier_before
    from entries
    where tier is not null
),

-- What happens at the instant at which a tier begins belongs to that tier.
placed as (
    select
        entries.*,
        count(tiers.event_id)
            over (partition by entries.customer_id order by entries.occurred_at)
            as stay
    from entries
    left join tiers
        on
            entries.customer_id = tiers.customer_id
            and entries.event_id = tiers.event_id
            and tiers.tier is distinct from tiers.tier_before
),

stays as (
    select
        customer_id,
        stay,
        min(occurred_at) as entered_at,
        (array_agg(tier order by occurred_at desc, event_id desc) filter (where tier is not null))[
            1
        ] as tier,
        coalesce(sum(points), 0) as points,
        coalesce(sum(points) filter (where event_type = 'points_earned'), 0) as earned,
        -coalesce(sum(points) filter (where event_type = 'points_redeemed'), 0) as redeemed,
        -coalesce(sum(points) filter (where event_type = 'points_expired'), 0) as expired,
        coalesce(sum(points) filter (where event_type = 'points_adjusted'), 0) as adjusted,
        count(*) filter (where event_type = 'points_redeemed') as redemptions
    from placed
    group by customer_id, stay
)

select
    customer_id,
    entered_at,
    lead(entered_at) over life as exited_at,
    tier,
    earned::numeric(20, 4) as earned,
    redeemed::numeric(20, 4) as redeemed,
    expired::numeric(20, 4) as expired,
    adjusted::numeric(20, 4) as adjusted,
    redemptions,
    (sum(points) over life)::numeric(20, 4) as balance
from stays
window life as (partition by customer_id order by entered_at)
