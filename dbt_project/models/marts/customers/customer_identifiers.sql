{{ per_customer() }}

with identifiers as (
    select * from {{ ref('core_customer_identifiers') }}
)

select
    customer_id,
    identifier_kind,
    identifier,
    source,
    customer_key
from identifiers
where {{ changed('identifiers') }}
