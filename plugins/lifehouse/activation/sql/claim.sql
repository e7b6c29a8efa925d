-- Batches whose sender is gone before it settled them, then those that nobody has sent, in the order of their making.
with orphaned as (
    select
        batch_id,
        true as is_recovered
    from activation.batches
    where
        account = %(account)s and sync = %(sync)s and status = 'sent' and claimed_by <> %(me)s
        and (
            lease_until < clock_timestamp()
            or claimed_by not in (select name from control.session_names() as sessions (name) where name is not null)
        )
        and (not %(is_quiet)s or 'remove' = all(actions))
    order by batch_id
    limit %(limit)s
    for update skip locked
),

ready as (
    select
        batch_id,
        false as is_recovered
    from activation.batches
    where
        account = %(account)s and sync = %(sync)s and status = 'ready'
        and (not %(is_quiet)s or 'remove' = any(actions))  -- its other rows are kept back
    order by batch_id
    limit %(limit)s
    for update skip locked
),

claimable as (
    (select * from orphaned union all select * from ready)
    order by is_recovered desc, batch_id
    limit %(limit)s
)

update activation.batches as batches
set
    status = 'sent', claimed_by = %(me)s, claims = claims + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
from claimable
where batches.batch_id = claimable.batch_id
returning
    batches.batch_id,
    batches.idempotency_key,
    batches.sync_run_id,
    batches.release_id,
    batches.number,
    batches.record_keys,
    case when batches.actions[1] = all(batches.actions) then batches.actions[:1] else batches.actions end as actions,
    array_to_string(batches.fields, chr(10), '') as fields,  -- JSON as jsonb writes it: on one line
    batches.platform_ids,
    array(
        select exceptions.place from activation.exceptions as exceptions
        where exceptions.batch_id = batches.batch_id and exceptions.status is not null
    ) as withdrawn,
    claimable.is_recovered
