{{ staged('engage', 'members', by="member_id::text") }}

with members as (
    select * from {{ raw('engage', 'members', by="member_id::text") }}
)

select
    'engage' as source,
    member_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    kind,
    case when kind = 'person' then 'crm' end as external_source,
    contact_id::text as external_key,
    group_id::text as belongs_to_key,
    name as full_name,
    case when kind = 'account' then name end as company_name,
    joined_at as created_at,
    updated_at
from members
