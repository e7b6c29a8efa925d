{{ per_customer() }}

with identifiers as (
    select * from {{ ref('core_customer_identifiers') }}
)

select
    customer_id,
    identifier_kind,
    identifier,
    source,
    customer_key,
    not_matched_because is null as is_matched_on,
    not_matched_because
from identifiers
where {{ changed('identifiers') }}
