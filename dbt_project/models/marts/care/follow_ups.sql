{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

follow_ups as (
    select
        *,
        case when held_at <= {{ as_of() }} then held_at end as took_place_at,
        held_at is null and outcome is not null as is_cancelled
    from {{ ref('contract_follow_ups') }}
    where planned_at <= {{ as_of() }}
)

select
    follow_ups.source,
    follow_ups.source_key as follow_up_key,
    refs.customer_id,
    follow_ups.channel,
    follow_ups.purpose,
    follow_ups.planned_at,
    follow_ups.due_at,
    follow_ups.took_place_at as held_at,
    case
        when follow_ups.took_place_at is not null then 'held'
        when follow_ups.is_cancelled then 'cancelled'
        when follow_ups.due_at <= {{ as_of() }} then 'overdue'
        else 'planned'
    end as state,
    (extract(epoch from follow_ups.took_place_at - follow_ups.due_at) / 86400)::numeric(12, 3)
        as days_late,
    case
        when follow_ups.took_place_at is not null or follow_ups.is_cancelled then follow_ups.outcome
    end as outcome
from follow_ups
inner join refs
    on follow_ups.source = refs.source and follow_ups.customer_key = refs.customer_key
