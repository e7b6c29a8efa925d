{{ population() }}

with interactions as (
    select * from {{ ref('contract_interactions') }}
),

customer_cookies as (
    select * from {{ ref('customer_cookies') }}
),

record_cookies as (
    select distinct cookie from {{ ref('record_cookies') }}
),

anonymous as (
    select interactions.*
    from interactions
    left join customer_cookies on interactions.cookie = customer_cookies.cookie
    where interactions.customer_key is null and customer_cookies.cookie is null
)

select
    anonymous.source,
    anonymous.cookie,
    record_cookies.cookie is not null as is_shared,
    count(*)::int as interactions,
    count(*) filter (where anonymous.action = 'visit')::int as visits,
    min(anonymous.occurred_at) as first_at,
    max(anonymous.occurred_at) as last_at,
    (
        array_agg(anonymous.channel order by anonymous.occurred_at, anonymous.source_key)
    )[1] as first_channel
from anonymous
left join record_cookies on anonymous.cookie = record_cookies.cookie
group by anonymous.source, anonymous.cookie, record_cookies.cookie
