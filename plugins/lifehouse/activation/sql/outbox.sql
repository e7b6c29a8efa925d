-- The plan becomes rows and batches; removals travel first.
with planned as (
    select
        *,
        (row_number() over (order by action desc) - 1) / %(batch_size)s as number
    from actions
    where is_waiting = %(only_failed)s
),

batches as (
    insert into activation.batches (account, sync, sync_run_id, release_id, number)
    select %(account)s, %(sync)s, %(sync_run_id)s, %(release_id)s, numbers.number
    from (select distinct number from planned) as numbers
    returning batch_id, number
)

insert into activation.outbox (batch_id, account, sync, record_key, customer_id, action, fields, field_hash)
select batches.batch_id, %(account)s, %(sync)s, record_key, customer_id, action, fields, field_hash
from planned
inner join batches using (number)
