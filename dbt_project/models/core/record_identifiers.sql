{{ config(materialized='view') }}

{#- Each entry: the identifier's kind and its normalised value. -#}
{% set identifiers = [
    ("'email'", normal_email('email')),
    ("'phone'", normal_phone('phone')),
    ("'loyalty_card'", normal_card('loyalty_card')),
    ("'id:' || external_source", 'external_key'),
    ("'id:' || source", 'customer_key'),
] %}

with profiles as (
    select * from {{ ref('contract_profiles') }}
    where customer_key is not null
),

cookies as (
    select * from {{ ref('record_cookies') }}
),

identifiers as (
    {% for kind, value in identifiers %}
    select
        source,
        customer_key,
        {{ kind }} as kind,
        {{ value }} as value
    from profiles
    union
    {% endfor %}
    select
        source,
        customer_key,
        'cookie' as kind,
        cookie as value
    from cookies
)

select * from identifiers
where value is not null
