{{ per_customer() }}

{#- Survivorship: of each field the newest value that is not empty; ties by source and key. -#}
{% set fields = [
    'kind', 'full_name', 'first_name', 'last_name', 'email', 'phone', 'loyalty_card',
    'age_band', 'income_band', 'household_size', 'marital_status', 'company_name', 'industry',
    'city', 'region', 'postal_code', 'country', 'acquisition_channel',
] %}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

profiles as (
    select * from {{ ref('contract_profiles') }}
),

records as (
    select
        refs.customer_id,
        profiles.*
    from refs
    inner join profiles
        on refs.source = profiles.source and refs.customer_key = profiles.customer_key
    where {{ changed('refs') }}
)

select
    customer_id,
    {% for field in fields %}
    (
        array_agg({{ field }} order by updated_at desc nulls last, source, source_key)
        filter (where {{ field }} is not null and trim({{ field }}) <> '')
    )[1] as {{ field }},
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
