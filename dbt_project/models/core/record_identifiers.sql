{{ config(materialized='view') }}

with profiles as (
    select * from {{ ref('contract_profiles') }}
    where customer_key is not null
),

identifiers as (
    select source, customer_key, 'email' as kind, {{ normal_email('email') }} as value from profiles
    union
    select source, customer_key, 'phone', {{ normal_phone('phone') }} from profiles
    union
    select source, customer_key, 'loyalty_card', {{ normal_card('loyalty_card') }} from profiles
    union
    select source, customer_key, 'id:' || external_source, external_key from profiles
    union
    select source, customer_key, 'id:' || source, customer_key from profiles
)

select * from identifiers
where value is not null
