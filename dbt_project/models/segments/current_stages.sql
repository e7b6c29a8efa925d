{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

with stage_history as (
    select * from {{ ref('stage_history') }}
)

select
    customer_id,
    lifecycle,
    stage,
    entered_at
from stage_history
where
    entered_at <= {{ as_of() }}
    and (exited_at is null or exited_at > {{ as_of() }})
