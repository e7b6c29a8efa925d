-- Claimed rows judged once more: places of those who may not be sent any longer.
with barred as (
    {barred}
)

select
    batches.batch_id,
    outbox.place
from activation.batches as batches
cross join lateral unnest(batches.customer_ids, batches.actions) with ordinality as outbox (customer_id, action, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and outbox.place = exceptions.place
left join barred using (customer_id)
left join marts.customers as customers using (customer_id)
where
    batches.batch_id = any(%(batches)s) and outbox.action <> 'remove' and exceptions.status is null
    and (
        customers.customer_id is null or not {consented}
        or case
            when barred.why is null or barred.why = 'picked' then false
            when barred.why = 'capped' then outbox.action = 'add' and batches.claims = 1  -- what is in flight is counted already
            else true
        end
    )
order by batches.batch_id, outbox.place
