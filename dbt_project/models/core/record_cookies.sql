{{ config(materialized='view') }}

with interactions as (
    select * from {{ ref('contract_interactions') }}
)

select
    source,
    customer_key,
    cookie
from interactions
where customer_key is not null and cookie is not null
