{{ per_customer() }}

with consents as (
    select * from {{ ref('customer_consents') }}
)

select
    customer_id,
    channel,
    coalesce(purpose, 'marketing') as purpose,
    status,
    status = 'granted' as is_granted,
    changed_at,
    legal_basis,
    source
from consents
where {{ changed('consents') }}
