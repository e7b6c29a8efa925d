-- What the platform refused waits, with its reason, for a change or an explicit retry. Where an earlier call for the row
-- went unanswered, the platform may hold it all the same: it counts as held with unknown fields, so that it can be removed.
with answers as (
    select *
    from unnest(%(refused)s::bigint[], %(reasons)s::text[], %(doubtful)s::boolean[]) as answers (outbox_id, reason, is_doubtful)
),

refused as (
    update activation.outbox
    set status = 'refused', reason = answers.reason, fields = null, settled_at = clock_timestamp()
    from answers
    where outbox.outbox_id = answers.outbox_id and outbox.settled_at is null
    returning
        outbox.account,
        outbox.sync,
        outbox.record_key,
        outbox.customer_id,
        case when answers.is_doubtful and outbox.action = 'change' then 'add' else outbox.action end as action,
        outbox.field_hash,
        outbox.reason,
        case when answers.is_doubtful then 'unknown' end as held_hash
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
