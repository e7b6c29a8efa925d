{{ per_customer() }}

{#- Of each field what survives, and the record (source:customer_key) that gave it. -#}
{% set fields = profile_fields() %}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

identifiers as (
    select * from {{ source('registry', 'identifiers') }}
),

profiles as (
    select * from {{ ref('contract_profiles') }}
),

records as (
    select
        refs.customer_id,
        {% for field in fields if field not in ('phone', 'belongs_to') %}
        profiles.{{ field }},
        {% endfor %}
        coalesce(phones.value, profiles.phone) as phone,
        coalesce(profiles.belongs_to_source, profiles.source)
        || ':' || profiles.belongs_to_key as belongs_to,
        profiles.source,
        profiles.source_key,
        profiles.customer_key,
        profiles.created_at,
        profiles.updated_at
    from refs
    inner join profiles
        on refs.source = profiles.source and refs.customer_key = profiles.customer_key
    left join identifiers as phones
        on
            profiles.source = phones.source
            and profiles.customer_key = phones.customer_key
            and phones.kind = 'phone'
            and profiles.phone = phones.written
            and coalesce(profiles.kind, 'person') = phones.holder
    where {{ changed('refs') }}
)

select
    customer_id,
    {% for field in fields %}
    {{ survivor(field, field) }} as {{ field }},
    {{ survivor(field, "source || ':' || customer_key") }} as {{ field }}_from,
    {% endfor %}
    min(created_at) as created_at,
    max(updated_at) as updated_at,
    (
        array_agg(source || ':' || source_key order by created_at nulls last, source, source_key)
    )[1] as first_record,
    count(distinct source)::int as sources,
    count(*)::int as records
from records
group by customer_id
