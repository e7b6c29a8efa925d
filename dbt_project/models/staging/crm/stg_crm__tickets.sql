{{ staged('crm', 'tickets', by="ticket_id::text") }}

with tickets as (
    select * from {{ raw('crm', 'tickets', by="ticket_id::text") }}
)

select
    'crm' as source,
    ticket_id::text as source_key,
    _loaded_at,
    contact_id::text as customer_key,
    kind,
    topic,
    opened_at,
    first_answer_at,
    solved_at,
    satisfaction::numeric as satisfaction
from tickets
