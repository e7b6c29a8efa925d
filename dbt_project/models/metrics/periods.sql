{{ as_of_model() }}

{% set zone = var('time_zone') %}

with stays as (
    select * from {{ ref('stage_history') }}
    where entered_at <= {{ as_of() }}
),

kinds (period, step, at_most) as (
    values
    ('day', interval '1 day', 90),
    ('week', interval '1 week', 104),
    ('month', interval '1 month', 120)
),

bounds as (
    select
        min(entered_at) at time zone '{{ zone }}' as first_at,
        {{ as_of() }} at time zone '{{ zone }}' as last_at
    from stays
),

starts as (
    select
        kinds.period,
        kinds.step,
        series.starts_at
    from kinds
    cross join bounds
    cross join lateral generate_series(
        date_trunc(
            kinds.period,
            greatest(bounds.first_at, bounds.last_at - (kinds.at_most - 1) * kinds.step)
        ),
        bounds.last_at,
        kinds.step
    ) as series (starts_at)
)

-- A period that begins at the as-of instant has not begun yet: nothing is known of it.
select
    period,
    starts_at::date as period_start,
    starts_at at time zone '{{ zone }}' - interval '1 microsecond' as before_at,
    least(
        (starts_at + step) at time zone '{{ zone }}' - interval '1 microsecond', {{ as_of() }}
    ) as told_at,
    (starts_at + step) at time zone '{{ zone }}' <= {{ as_of() }} as is_over
from starts
where starts_at at time zone '{{ zone }}' < {{ as_of() }}
