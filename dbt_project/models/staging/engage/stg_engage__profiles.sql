{{ staged('engage', 'members', by="member_id::text") }}

with members as (
    select * from {{ raw('engage', 'members', by="member_id::text") }}
)

select
    'engage' as source,
    member_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    'person' as kind,
    'crm' as external_source,
    contact_id::text as external_key,
    joined_at as created_at,
    updated_at
from members
