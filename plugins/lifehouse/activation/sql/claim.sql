-- Batches that nobody has sent, or whose sender is gone before it settled them; the latter first.
with claimable as (
    select batch_id, status as was
    from activation.batches
    where
        account = %(account)s and sync = %(sync)s
        and (
            not %(is_quiet)s or not exists (
                select from activation.outbox as outbox
                where outbox.batch_id = batches.batch_id and outbox.status = 'intent' and outbox.action <> 'remove'
            )
        )
        and (
            status = 'ready'
            or (
                status = 'sent' and claimed_by <> %(me)s
                and (
                    lease_until < clock_timestamp()
                    or claimed_by not in (select name from control.session_names() as sessions (name) where name is not null)
                )
            )
        )
    order by status = 'sent' desc, sync_run_id, batch_id
    limit %(limit)s
    for update skip locked
)

update activation.batches as batches
set
    status = 'sent', claimed_by = %(me)s, claims = claims + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
from claimable
where batches.batch_id = claimable.batch_id
returning batches.batch_id, batches.idempotency_key, batches.sync_run_id, batches.release_id, batches.number, claimable.was
