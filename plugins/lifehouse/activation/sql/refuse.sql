-- What the platform refused waits, with its reason, for a change or an explicit retry.
with answers as (
    select * from unnest(%(refused)s::bigint[], %(reasons)s::text[]) as answers (outbox_id, reason)
),

refused as (
    update activation.outbox
    set status = 'refused', reason = answers.reason, fields = null, settled_at = clock_timestamp()
    from answers
    where outbox.outbox_id = answers.outbox_id and outbox.status = 'intent'
    returning outbox.account, outbox.sync, outbox.record_key, outbox.customer_id, outbox.action, outbox.field_hash, outbox.reason
),

kept as (
    insert into activation.records
    (account, sync, record_key, customer_id, refused_action, refused_hash, refused_reason, refused_at)
    select account, sync, record_key, customer_id, action, field_hash, reason, clock_timestamp()
    from refused
    on conflict (account, sync, record_key) do update set
        refused_action = excluded.refused_action,
        refused_hash = excluded.refused_hash,
        refused_reason = excluded.refused_reason,
        refused_at = excluded.refused_at
)

select count(*) from refused
