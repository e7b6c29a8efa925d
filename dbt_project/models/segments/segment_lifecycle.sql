{{ as_of_model() }}

with current_stages as (
    select * from {{ ref('current_stages') }}
)

select
    lifecycle || '_' || stage as segment,
    customer_id,
    entered_at as since
from current_stages
where lifecycle in ('status', 'crm')
