{{ as_of_model() }}

with definitions as (
    select * from {{ ref('segment_definitions') }}
),

segment_members as (
    select * from {{ ref('segment_members') }}
),

counted as (
    select
        segment,
        family,
        count(*) as members
    from segment_members
    group by segment, family
)

select
    coalesce(definitions.segment, counted.segment) as segment,
    coalesce(definitions.family, counted.family) as family,
    definitions.owner,
    definitions.meaning,
    definitions.play,
    coalesce(counted.members, 0) as members
from definitions
full outer join counted on definitions.segment = counted.segment
