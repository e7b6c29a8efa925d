{{ staged('crm', 'surveys', by="answer_id::text") }}

with surveys as (
    select * from {{ raw('crm', 'surveys', by="answer_id::text") }}
)

select
    'crm' as source,
    answer_id::text as source_key,
    _loaded_at,
    contact_id::text as customer_key,
    survey,
    score::numeric as score,
    reason,
    comment,
    answered_at
from surveys
