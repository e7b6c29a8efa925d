{{ staged('crm', 'stage_changes', by="change_id::text") }}

with stage_changes as (
    select * from {{ raw('crm', 'stage_changes', by="change_id::text") }}
)

select
    'crm' as source,
    change_id::text as source_key,
    _loaded_at,
    contact_id::text as customer_key,
    'crm_pipeline' as lifecycle,
    stage,
    previous_stage,
    changed_at
from stage_changes
