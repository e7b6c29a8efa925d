-- What the platform confirmed becomes what it is known to hold.
with answers as (
    select *
    from unnest(%(confirmed)s::bigint[], %(platform_ids)s::text[]) as answers (outbox_id, platform_id)
),

confirmed as (
    update activation.outbox
    set status = 'confirmed', fields = null, settled_at = clock_timestamp()
    from answers
    where outbox.outbox_id = answers.outbox_id and outbox.settled_at is null
    returning
        outbox.account,
        outbox.sync,
        outbox.record_key,
        outbox.customer_id,
        outbox.action,
        outbox.field_hash,
        outbox.field_marks,
        outbox.stage,
        answers.platform_id
),

removed as (
    delete from activation.records as records
    using confirmed
    where
        confirmed.action = 'remove'
        and records.account = confirmed.account and records.sync = confirmed.sync
        and records.record_key = confirmed.record_key
),

held as (
    insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id, field_marks, stage)
    select account, sync, record_key, customer_id, field_hash, clock_timestamp(), platform_id, field_marks, stage
    from confirmed
    where action <> 'remove'
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
