-- A record that stands for several members goes out only if every one of them may be sent, as the first of them.
with shared as (
    select
        record_key,
        min(customer_id) as customer_id,
        bool_and(verdict = 'send') as is_allowed
    from members
    where record_key is not null
    group by record_key
    having count(*) > 1
)

update members
set verdict = 'shared key'
from shared
where
    members.record_key = shared.record_key and members.verdict = 'send'
    and not (shared.is_allowed and shared.customer_id = members.customer_id)
