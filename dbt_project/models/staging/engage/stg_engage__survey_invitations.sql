{{ staged('engage', 'invitations', by="invitation_id::text") }}

with invitations as (
    select * from {{ raw('engage', 'invitations', by="invitation_id::text") }}
)

select
    'engage' as source,
    invitation_id::text as source_key,
    _loaded_at,
    invitation_id::text as invitation_key,
    member_id::text as customer_key,
    survey,
    channel,
    invited_at
from invitations
