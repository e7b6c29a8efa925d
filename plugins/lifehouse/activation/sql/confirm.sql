-- Batches whose every row the platform has spoken of are settled; what it confirmed becomes what it is known to hold.
with settled as (
    update activation.batches
    set status = 'settled', fields = null, settled_at = clock_timestamp()
    where batch_id = any(%(batches)s) and claimed_by = %(me)s and status = 'sent'
    returning
        batch_id, account, sync, record_keys, customer_ids, actions, field_hashes, field_marks, stages, platform_ids,
        is_new and claims = 1 as is_new
),

confirmed as (
    select
        settled.account,
        settled.sync,
        settled.is_new,
        rows.*
    from settled
    cross join lateral unnest(
        settled.record_keys, settled.customer_ids, settled.actions, settled.field_hashes, settled.field_marks, settled.stages,
        settled.platform_ids
    ) with ordinality as rows (record_key, customer_id, action, field_hash, field_marks, stage, platform_id, place)
    left join activation.exceptions as exceptions
        on settled.batch_id = exceptions.batch_id and rows.place = exceptions.place
    where exceptions.status is null
),

removed as (
    delete from activation.records as records
    using confirmed
    where
        confirmed.action = 'remove'
        and records.account = confirmed.account and records.sync = confirmed.sync
        and records.record_key = confirmed.record_key
),

-- Of these there was no record when they were planned, and nobody else has made one since: each is half the work.
added as (
    insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id, field_marks, stage)
    select account, sync, record_key, customer_id, field_hash, clock_timestamp(), platform_id, field_marks, stage
    from confirmed
    where is_new
),

held as (
    insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id, field_marks, stage)
    select account, sync, record_key, customer_id, field_hash, clock_timestamp(), platform_id, field_marks, stage
    from confirmed
    where action <> 'remove' and not is_new
    on conflict (account, sync, record_key) do update set
        customer_id = excluded.customer_id,
        field_hash = excluded.field_hash,
        field_marks = excluded.field_marks,
        stage = excluded.stage,
        acknowledged_at = excluded.acknowledged_at,
        platform_id = coalesce(excluded.platform_id, records.platform_id),
        refused_action = null,
        refused_hash = null,
        refused_reason = null,
        refused_at = null
),

exposed as (
    insert into activation.exposures (experiment, customer_id, arm, sync, sync_run_id)
    select %(experiment)s, customer_id, 'treatment', sync, %(sync_run_id)s
    from confirmed
    where action = 'add' and %(experiment)s::text is not null
    on conflict do nothing
)

select count(*) from confirmed
