{{ per_customer() }}
{{ config(alias='customer_identifiers') }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

identifiers as (
    select * from {{ source('registry', 'identifiers') }}
),

cut_identifiers as (
    select * from {{ source('registry', 'cut_identifiers') }}
),

carried as (
    select
        refs.customer_id,
        refs.source,
        refs.customer_key,
        identifiers.kind as identifier_kind,
        coalesce(identifiers.value, identifiers.written) as identifier,
        case
            when identifiers.reason is not null then identifiers.reason
            when cut_identifiers.why = 'shared' then 'shared by too many records'
            when cut_identifiers.why = 'apart' then 'it would join two who were declared apart'
        end as reason
    from refs
    inner join identifiers
        on refs.source = identifiers.source and refs.customer_key = identifiers.customer_key
    left join cut_identifiers
        on
            identifiers.holder = cut_identifiers.holder
            and identifiers.kind = cut_identifiers.kind
            and identifiers.value = cut_identifiers.value
    where {{ changed('refs') }}
)

select
    customer_id,
    identifier_kind,
    identifier,
    source,
    customer_key,
    case when count(*) = count(reason) then min(reason) end as not_matched_because
from carried
group by customer_id, identifier_kind, identifier, source, customer_key
