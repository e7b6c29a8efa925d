{{ config(materialized='view') }}

{#- Each entry: the identifier's kind, the identifier, and of what kind of holder it is. -#}
{% set identifiers = [
    ("'email'", 'email', "coalesce(kind, 'person')"),
    ("'phone'", 'phone', "coalesce(kind, 'person')"),
    ("'loyalty_card'", 'loyalty_card', "coalesce(kind, 'person')"),
    ("'id:' || external_source", 'external_key', "''"),
    ("'id:' || source", 'customer_key', "''"),
] %}

-- The identity step asks for some records only: each branch finds them by itself.
with profiles as not materialized (
    select * from {{ ref('contract_profiles') }}
),

cookies as (
    select * from {{ ref('record_cookies') }}
)

{% for kind, identifier, holder in identifiers %}
select
    source,
    customer_key,
    {{ holder }} as holder,
    {{ kind }} as kind,
    {{ identifier }} as written
from profiles
where
    customer_key is not null
    and trim(both ' ' from {{ identifier }}) <> ''
    and {{ kind }} is not null
union all
{% endfor %}
select
    source,
    customer_key,
    '' as holder,
    'cookie' as kind,
    cookie as written
from cookies
where trim(both ' ' from cookie) <> ''
