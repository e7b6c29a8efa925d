-- Rows whose batch went out and whose answer is missing: no plan touches them, and nothing is judged by them.
create view activation.in_flight as
select batches.account, batches.sync, outbox.record_key
from activation.outbox as outbox
inner join activation.batches as batches using (batch_id)
where batches.status = 'sent' and outbox.status = 'intent';
comment on view activation.in_flight is 'Rows that went out and whose answer is missing.';
