{{ as_of_model() }}

{#- Kaplan & Meier, 1958: who is still in the stage is at risk until the as-of instant. -#}
{% set periods = {'day': 1, 'week': 2, 'month': 3} %}

with declared as (
    select
        lifecycle,
        stage,
        row_number() over (order by lifecycle, stage)::int as stage_number
    from {{ ref('lifecycle_stages') }}
),

stays as (
    select
        declared.stage_number,
        stage_history.entered_at at time zone '{{ var("time_zone") }}' as entered,
        date_part('epoch', least(stage_history.exited_at, {{ as_of() }}) - stage_history.entered_at)
        / 86400 as days,
        coalesce(stage_history.exited_at <= {{ as_of() }}, false)::int as is_over
    from {{ ref('stage_history') }} as stage_history
    inner join declared using (lifecycle, stage)
    where stage_history.entered_at <= {{ as_of() }} and isfinite(stage_history.entered_at)
),

followed as (
    select
        stage_number,
        0 as kind,
        null::date as period_start,
        days,
        is_over
    from stays
    {% for period, kind in periods.items() %}
    union all
    select
        stays.stage_number,
        {{ kind }},
        periods.period_start,
        stays.days,
        stays.is_over
    from stays
    inner join {{ ref('periods') }} as periods
        on
            periods.period = '{{ period }}'
            and periods.period_start = date_trunc('{{ period }}', stays.entered)::date
    {% endfor %}
),

lengths as (
    select
        stage_number,
        kind,
        period_start,
        days,
        sum(is_over)::float8 as ended,
        count(*) as stays
    from followed
    group by stage_number, kind, period_start, days
),

risks as (
    select
        *,
        (
            sum(stays) over (partition by stage_number, kind, period_start)
            - sum(stays) over (
                partition by stage_number, kind, period_start order by days
            ) + stays
        )::float8 as at_risk
    from lengths
),

survivals as (
    select
        *,
        case
            when bool_or(ended = at_risk) over life then 0
            else exp(coalesce(
                    sum(ln(1 - ended / at_risk)) filter (where ended < at_risk) over life, 0
                ))
        end as survival
    from risks
    window life as (partition by stage_number, kind, period_start order by days)
),

curves as (
    select
        *,
        case kind
            when 0 then least(365, max(days) over (partition by stage_number, kind, period_start))
            else 30
        end as horizon,
        lag(days, 1, 0::float8) over life as days_before,
        lag(survival, 1, 1::float8) over life as survival_before
    from survivals
    window life as (partition by stage_number, kind, period_start order by days)
),

measured as (
    select
        stage_number,
        kind,
        period_start,
        max(horizon) as horizon,
        case
            when max(days) >= max(horizon) or min(survival) = 0 then sum(
                    survival_before * (least(days, horizon) - least(days_before, horizon))
                )
        end as restricted_mean,
        min(days) filter (where survival <= 0.5 + 1e-9) as median
    from curves
    group by stage_number, kind, period_start
)

select
    declared.lifecycle,
    declared.stage,
    (array['all', 'day', 'week', 'month'])[measured.kind + 1] as period,
    measured.period_start,
    measured.horizon::numeric(12, 3) as dwell_horizon_days,
    measured.restricted_mean::numeric(12, 3) as restricted_mean_dwell_days,
    measured.median::numeric(12, 3) as median_dwell_days
from measured
inner join declared using (stage_number)
