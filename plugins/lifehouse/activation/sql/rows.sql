-- The open rows of claimed batches, judged once more: is it still allowed to send this person?
with barred as (
    {barred}
)

select
    outbox.batch_id,
    outbox.outbox_id,
    outbox.record_key,
    outbox.action,
    coalesce(outbox.fields::text, '{{}}') as fields,
    records.platform_id,
    outbox.action = 'remove' or (
        customers.customer_id is not null and {consented}
        and case
            when barred.why is null or barred.why = 'picked' then true
            when barred.why = 'capped' then outbox.action <> 'add' or batches.claims > 1  -- what is in flight is counted already
            else false
        end
    ) as is_allowed
from activation.outbox as outbox
inner join activation.batches as batches using (batch_id)
left join barred using (customer_id)
left join marts.customers as customers using (customer_id)
left join activation.records as records
    on outbox.account = records.account and outbox.sync = records.sync and outbox.record_key = records.record_key
where outbox.batch_id = any(%(batches)s) and outbox.settled_at is null
order by outbox.batch_id, outbox.outbox_id
