-- Every segment that has members is described: owner, meaning and play.
with segments as (
    select * from {{ ref('segments') }}
)

select segment
from segments
where owner is null or meaning is null or play is null
