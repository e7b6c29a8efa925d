{{ as_of_model() }}

with invitations as (
    select
        source,
        invitation_key,
        survey,
        date_trunc('month', invited_at at time zone '{{ var("time_zone") }}')::date as month
    from {{ ref('contract_survey_invitations') }}
    where invited_at <= {{ as_of() }} and survey is not null
),

answers as (
    select
        source,
        invitation_key,
        survey,
        score,
        date_trunc('month', answered_at at time zone '{{ var("time_zone") }}')::date as month
    from {{ ref('contract_survey_answers') }}
    where answered_at <= {{ as_of() }} and survey is not null
),

-- Of whom did those who were invited in the month hear, whenever they did.
asked as (
    select
        month,
        survey,
        count(*) as invited,
        count(*) filter (
            where exists (
                select 1 from answers
                where
                    invitations.source = answers.source
                    and invitations.invitation_key = answers.invitation_key
                    and invitations.survey = answers.survey
            )
        ) as responded
    from invitations
    group by month, survey
),

heard as (
    select
        month,
        survey,
        count(*) as answers,
        count(score) as scored,
        avg(score) as mean_score,
        count(*) filter (where survey = 'nps' and score >= 9) as promoters,
        count(*) filter (where survey = 'nps' and score < 7) as detractors,
        count(*) filter (where survey = 'csat' and score >= 4) as satisfied
    from answers
    group by month, survey
)

select
    month,
    survey,
    coalesce(asked.invited, 0) as invited,
    coalesce(asked.responded, 0) as responded,
    (asked.responded::numeric / asked.invited)::numeric(6, 5) as response_rate,
    coalesce(heard.answers, 0) as answers,
    coalesce(heard.scored, 0) as scored,
    heard.mean_score::numeric(8, 3) as mean_score,
    case when survey = 'nps' then heard.promoters end as promoters,
    case when survey = 'nps' then heard.detractors end as detractors,
    (
        case
            when survey = 'nps'
                then 100.0 * (heard.promoters - heard.detractors) / nullif(heard.scored, 0)
        end
    )::numeric(6, 2) as nps,
    (
        case when survey = 'csat' then heard.satisfied::numeric / nullif(heard.scored, 0) end
    )::numeric(6, 5) as csat
from asked
full outer join heard using (month, survey)
