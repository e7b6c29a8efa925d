{{ as_of_model() }}

with taxonomy as (
    select
        reason,
        side,
        unnest(string_to_array(spellings, '|')) as spelling
    from {{ ref('churn_reason_taxonomy') }}
),

said as (
    select
        customer_id,
        date_trunc('month', occurred_at at time zone '{{ var("time_zone") }}')::date as month,
        case event_type
            when 'survey_answered' then 'survey'
            when 'subscription_notice_given' then 'notice'
            when 'subscription_ended' then 'end of contract'
            else 'lost sale'
        end as said_in,
        lower(trim(case when event_type = 'survey_answered' then kind else detail end)) as words
    from {{ ref('customer_events') }}
    where
        occurred_at <= {{ as_of() }}
        and (
            event_type in ('subscription_notice_given', 'subscription_ended', 'opportunity_lost')
            or (event_type = 'survey_answered' and detail = 'leaving')
        )
),

sorted as (
    select
        said.customer_id,
        said.month,
        said.said_in,
        case
            when coalesce(said.words, '') = '' then 'not said' else
                coalesce(taxonomy.reason, 'other')
        end as reason,
        coalesce(taxonomy.side, 'unknown') as side
    from said
    left join taxonomy on said.words = taxonomy.spelling
)

select
    month,
    said_in,
    reason,
    side,
    count(*) as mentions,
    count(distinct customer_id) as customers
from sorted
group by month, said_in, reason, side
