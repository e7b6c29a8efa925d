{{ per_customer() }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

consents as (
    select * from {{ ref('contract_consents') }}
)

{#- The newest decision stands; of two at the same instant a withdrawal wins. -#}
select distinct on (refs.customer_id, consents.channel, consents.purpose)
    refs.customer_id,
    consents.channel,
    consents.purpose,
    consents.status,
    consents.changed_at,
    consents.legal_basis,
    consents.source
from refs
inner join consents
    on refs.source = consents.source and refs.customer_key = consents.customer_key
where {{ changed('refs') }}
order by
    refs.customer_id,
    consents.channel,
    consents.purpose,
    consents.changed_at desc,
    consents.status desc,
    consents.source_key
