-- What an earlier run planned and never sent is planned anew.
with stale as (
    update activation.batches
    set status = 'superseded', settled_at = clock_timestamp()
    where account = %(account)s and sync = %(sync)s and status = 'ready'
    returning batch_id
)

update activation.outbox
set status = 'superseded', fields = null, settled_at = clock_timestamp()
from stale
where outbox.batch_id = stale.batch_id and outbox.status = 'intent'
