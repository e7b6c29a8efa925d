{{ staged('engage', 'answers', by="answer_id::text") }}

with answers as (
    select * from {{ raw('engage', 'answers', by="answer_id::text") }}
)

select
    'engage' as source,
    answer_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    invitation_id::text as invitation_key,
    survey,
    reason,
    comment,
    answered_at
from answers
