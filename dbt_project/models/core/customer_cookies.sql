{{ per_customer(indexes=[{'columns': ['cookie']}]) }}

with refs as (
    select * from {{ source('registry', 'customer_refs') }}
),

record_cookies as (
    select * from {{ ref('record_cookies') }}
),

held as (
    select distinct
        refs.customer_id,
        record_cookies.cookie
    from refs
    inner join record_cookies
        on refs.source = record_cookies.source and refs.customer_key = record_cookies.customer_key
    where {{ changed('refs') }}
)

select
    held.customer_id,
    held.cookie
from held
where
    -- What several customers hold, such as a library's computer, says nothing about who was there.
    not exists (
        select 1
        from record_cookies as others
        inner join refs as their_refs
            on others.source = their_refs.source and others.customer_key = their_refs.customer_key
        where others.cookie = held.cookie and their_refs.customer_id <> held.customer_id
    )
