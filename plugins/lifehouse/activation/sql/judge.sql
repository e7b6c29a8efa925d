-- Claimed rows judged once more: places of those who may not be sent any longer, or not before their morning, and why.
with barred as (
    {barred}
)

select
    batches.batch_id,
    outbox.place,
    judged.why
from activation.batches as batches
cross join lateral unnest(batches.customer_ids, batches.actions) with ordinality as outbox (customer_id, action, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and outbox.place = exceptions.place
left join barred using (customer_id)
left join marts.customers as customers using (customer_id)
cross join lateral (
    select case
        when customers.customer_id is null then 'no customer any longer'
        when not {consented} then 'no consent'
        when barred.why in ('suppressed', 'left out') then barred.why
        when barred.why = 'capped' and outbox.action = 'add' and batches.claims = 1 then barred.why  -- else it is counted already
        when batches.claims = 1 and {quiet} then 'quiet'  -- a batch that was out before may be there already
    end as why
) as judged
where
    batches.batch_id = any(%(batches)s) and outbox.action <> 'remove' and exceptions.status is null and judged.why is not null
order by batches.batch_id, outbox.place
