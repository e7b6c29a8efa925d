-- Whoever is in a segment is a customer of the same release.
with segment_members as (
    select * from {{ ref('segment_members') }}
),

customers as (
    select * from {{ ref('customers') }}
)

select segment_members.customer_id
from segment_members
left join customers on segment_members.customer_id = customers.customer_id
where customers.customer_id is null
