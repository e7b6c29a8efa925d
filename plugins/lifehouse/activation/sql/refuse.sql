-- What the platform refused waits, with its reason, for a change or an explicit retry. Where an earlier call for the row
-- went unanswered, the platform may hold it all the same: it counts as held with unknown fields, so that it can be removed.
with answers as (
    select *
    from unnest(
        %(refused_batches)s::bigint[], %(refused_places)s::integer[], %(reasons)s::text[], %(doubtful)s::boolean[]
    ) as answers (batch_id, place, reason, is_doubtful)
),

refused as (
    select
        answers.batch_id,
        answers.place,
        batches.account,
        batches.sync,
        batches.record_keys[answers.place] as record_key,
        batches.customer_ids[answers.place] as customer_id,
        case
            when answers.is_doubtful and batches.actions[answers.place] = 'change' then 'add'
            else batches.actions[answers.place]
        end as action,
        batches.field_hashes[answers.place] as field_hash,
        answers.reason,
        case when answers.is_doubtful then 'unknown' end as held_hash
    from answers
    inner join activation.batches as batches using (batch_id)
    where batches.claimed_by = %(me)s and batches.status = 'sent'
),

noted as (
    insert into activation.exceptions (batch_id, place, status, reason, settled_at)
    select batch_id, place, 'refused', reason, clock_timestamp()
    from refused
    on conflict (batch_id, place) do update set
        status = excluded.status, reason = excluded.reason, settled_at = excluded.settled_at
),

kept as (
    insert into activation.records (
        account, sync, record_key, customer_id, field_hash, acknowledged_at,
        refused_action, refused_hash, refused_reason, refused_at
    )
    select
        account,
        sync,
        record_key,
        customer_id,
        held_hash,
        case when held_hash is not null then clock_timestamp() end,
        action,
        field_hash,
        reason,
        clock_timestamp()
    from refused
    on conflict (account, sync, record_key) do update set
        field_hash = coalesce(excluded.field_hash, records.field_hash),
        acknowledged_at = coalesce(excluded.acknowledged_at, records.acknowledged_at),
        refused_action = excluded.refused_action,
        refused_hash = excluded.refused_hash,
        refused_reason = excluded.refused_reason,
        refused_at = excluded.refused_at,
        platform_id = null  -- it may be of a record that is gone: the next attempt looks it up
)

select count(*) from refused
