-- Each stay begins where the one before ends, in another stage, and only the last is open.
with stays as (
    select
        *,
        lead(entered_at) over life as next_entered_at,
        lead(stage) over life as next_stage
    from {{ ref('stage_history') }}
    window life as (partition by customer_id, lifecycle order by entered_at)
)

select *
from stays
where
    exited_at is distinct from next_entered_at
    or exited_at <= entered_at
    or stage = next_stage
