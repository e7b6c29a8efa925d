-- Whom the platform confirmed is exposed to the treatment from now on.
insert into activation.exposures (experiment, customer_id, arm, sync, sync_run_id)
select %(experiment)s, customer_id, 'treatment', sync, %(sync_run_id)s
from activation.outbox
where batch_id = any(%(batches)s) and action = 'add' and status = 'confirmed'
on conflict do nothing
