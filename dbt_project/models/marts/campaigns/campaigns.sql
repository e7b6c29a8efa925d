{{ as_of_model() }}

with contract_campaigns as (
    select * from {{ ref('contract_campaigns') }}
),

targets as (
    select * from {{ ref('contract_campaign_targets') }}
),

orders as (
    select * from {{ ref('orders') }}
),

first_targets as (
    select
        source,
        campaign_key,
        min(targeted_at) as first_targeted_at
    from targets
    group by source, campaign_key
),

known_since as (
    select
        source,
        min(ordered_at) as first_ordered_at
    from orders
    group by source
),

windows as (
    select
        contract_campaigns.*,
        coalesce(contract_campaigns.starts_at, first_targets.first_targeted_at) as begins_at,
        least(contract_campaigns.ends_at, {{ as_of() }}) as observed_until
    from contract_campaigns
    left join first_targets
        on
            contract_campaigns.source = first_targets.source
            and contract_campaigns.campaign_key = first_targets.campaign_key
),

compared as (
    select
        *,
        case when begins_at < observed_until then begins_at - (observed_until - begins_at) end
            as compared_from
    from windows
)

select
    compared.source,
    compared.campaign_key,
    compared.name,
    compared.channel,
    compared.kind,
    compared.begins_at as starts_at,
    compared.ends_at,
    case
        when compared.begins_at is null or compared.begins_at > {{ as_of() }} then 'planned'
        when compared.ends_at <= {{ as_of() }} then 'ended'
        else 'running'
    end as state,
    compared.compared_from,
    case when compared.begins_at < compared.observed_until then compared.observed_until end
        as observed_until,
    coalesce(compared.compared_from >= known_since.first_ordered_at, false) as is_comparable,
    compared.cost,
    compared.currency
from compared
left join known_since on compared.source = known_since.source
