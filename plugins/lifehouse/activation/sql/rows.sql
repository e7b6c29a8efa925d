-- The open rows of claimed batches, judged once more: is it still allowed to send this person?
select
    outbox.batch_id,
    outbox.outbox_id,
    outbox.record_key,
    outbox.action,
    coalesce(outbox.fields::text, '{{}}') as fields,
    records.platform_id,
    outbox.action = 'remove' or (customers.customer_id is not null and {consented}) as is_allowed
from activation.outbox as outbox
left join marts.customers as customers using (customer_id)
left join activation.records as records using (account, sync, record_key)
where outbox.batch_id = any(%(batches)s) and outbox.settled_at is null
order by outbox.batch_id, outbox.outbox_id
