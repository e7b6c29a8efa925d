{{ as_of_model() }}

{% set zone = var('time_zone') %}

with campaigns as (
    select * from {{ ref('campaigns') }}
    where cost <> 0 and starts_at is not null and isfinite(starts_at)
),

windows as (
    select
        *,
        (starts_at at time zone '{{ zone }}')::date as first_date,
        greatest(
            case
                when isfinite(ends_at)
                    then ((ends_at - interval '1 microsecond') at time zone '{{ zone }}')::date
            end,
            (starts_at at time zone '{{ zone }}')::date
        ) as last_date
    from campaigns
)

select
    windows.source,
    windows.campaign_key,
    windows.channel,
    days.day::date as cost_date,
    (windows.cost / (windows.last_date - windows.first_date + 1))::numeric(24, 10) as cost,
    windows.currency
from windows
cross join
    lateral generate_series(
        windows.first_date::timestamp, windows.last_date::timestamp, interval '1 day'
    ) as days (day)
where days.day at time zone '{{ zone }}' <= {{ as_of() }}
