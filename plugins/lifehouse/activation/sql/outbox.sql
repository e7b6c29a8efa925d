-- The plan becomes rows and batches; removals travel first. Actions that do not share their calls do not share a batch.
with planned as (
    select
        *,
        coalesce(%(lanes)s::jsonb ->> action, 'all') as lane
    from actions
    where is_waiting = %(only_failed)s
),

parts as (
    select
        *,
        (row_number() over (partition by lane order by action desc) - 1)
        / coalesce((%(sizes)s::jsonb ->> lane)::integer, %(batch_size)s) as part
    from planned
),

numbered as (
    select
        parts.*,
        lanes.first_number + parts.part as number
    from parts
    inner join (
        select
            lane,
            coalesce(sum(max(part) + 1) over (order by max(action) desc, lane rows between unbounded preceding and 1 preceding), 0) as first_number
        from parts
        group by lane
    ) as lanes using (lane)
),

batches as (
    insert into activation.batches (account, sync, sync_run_id, release_id, number)
    select %(account)s, %(sync)s, %(sync_run_id)s, %(release_id)s, numbers.number
    from (select distinct number from numbered) as numbers
    order by numbers.number
    returning batch_id, number
)

insert into activation.outbox (batch_id, account, sync, record_key, customer_id, action, fields, field_hash, field_marks)
select batches.batch_id, %(account)s, %(sync)s, record_key, customer_id, action, fields, field_hash, {marks}
from numbered
inner join batches using (number)
