-- What the rows of settled batches made of it becomes what the platform is known to hold, many batches at once. Whoever else
-- folds the same ones waits here, and finds nothing left to do.
with taken as (
    select batch_id
    from activation.batches
    where account = %(account)s and sync = %(sync)s and to_fold
    order by batch_id
    for update
),

folded as (
    update activation.batches as batches
    set to_fold = false
    from taken
    where batches.batch_id = taken.batch_id
    returning
        batches.record_keys, batches.customer_ids, batches.actions, batches.field_hashes, batches.field_marks, batches.stages,
        batches.platform_ids, batches.settled_at,
        batches.is_new and batches.claims = 1 and %(is_sure)s as is_new,
        array(
            select exceptions.place from activation.exceptions as exceptions
            where exceptions.batch_id = batches.batch_id and exceptions.status is not null
        ) as gone
),

removed as (
    delete from activation.records as records
    using folded
    cross join lateral unnest(folded.record_keys, folded.actions) with ordinality as rows (record_key, action, place)
    where
        not folded.is_new and rows.action = 'remove' and rows.place <> all(folded.gone)
        and records.account = %(account)s and records.sync = %(sync)s and records.record_key = rows.record_key
),

-- Of these there was no record when they were planned, and nobody else has made one since: each is half the work. Should it
-- fail all the same, the fold is made again without being sure.
added as (
    insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id, field_marks, stage)
    select
        %(account)s, %(sync)s, rows.record_key, rows.customer_id, rows.field_hash, folded.settled_at, rows.platform_id,
        rows.field_marks, rows.stage
    from folded
    cross join lateral unnest(
        folded.record_keys, folded.customer_ids, folded.field_hashes, folded.field_marks, folded.stages, folded.platform_ids
    ) with ordinality as rows (record_key, customer_id, field_hash, field_marks, stage, platform_id, place)
    where folded.is_new and rows.place <> all(folded.gone)
),

held as (
    insert into activation.records (account, sync, record_key, customer_id, field_hash, acknowledged_at, platform_id, field_marks, stage)
    select
        %(account)s, %(sync)s, rows.record_key, rows.customer_id, rows.field_hash, folded.settled_at, rows.platform_id,
        rows.field_marks, rows.stage
    from folded
    cross join lateral unnest(
        folded.record_keys, folded.customer_ids, folded.actions, folded.field_hashes, folded.field_marks, folded.stages,
        folded.platform_ids
    ) with ordinality as rows (record_key, customer_id, action, field_hash, field_marks, stage, platform_id, place)
    where not folded.is_new and rows.action <> 'remove' and rows.place <> all(folded.gone)
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
)

select count(*) from folded
