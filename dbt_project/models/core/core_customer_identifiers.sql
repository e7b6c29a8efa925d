{{ per_customer() }}
{{ config(alias='customer_identifiers') }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

identifiers as (
    select * from {{ ref('record_identifiers') }}
)

select
    refs.customer_id,
    identifiers.kind as identifier_kind,
    identifiers.value as identifier,
    refs.source,
    refs.customer_key
from refs
inner join identifiers
    on refs.source = identifiers.source and refs.customer_key = identifiers.customer_key
where {{ changed('refs') }}
