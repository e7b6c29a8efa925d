-- The plan becomes rows and batches; removals travel first. Actions that do not share their calls do not share a batch.
-- Rows are in the order of their keys: so are then the entries of the indexes that they go into.
with planned as (
    select
        *,
        coalesce(%(lanes)s::jsonb ->> action, 'all') as lane
    from actions
    where is_waiting = %(only_failed)s
),

sizes as (
    select
        lane,
        coalesce((%(sizes)s::jsonb ->> lane)::integer, %(batch_size)s) as size,
        count(*) as rows,
        max(action) as first_action
    from planned
    group by lane
),

lanes as (
    select
        lane,
        size,
        coalesce(
            sum((rows + size - 1) / size) over (order by first_action desc, lane rows between unbounded preceding and 1 preceding), 0
        )::bigint as first_number,
        (rows + size - 1) / size as parts
    from sizes
),

batches as (
    insert into activation.batches (account, sync, sync_run_id, release_id, number, kind)
    select %(account)s, %(sync)s, %(sync_run_id)s, %(release_id)s, number, %(kind)s::text
    from lanes
    cross join generate_series(lanes.first_number, lanes.first_number + lanes.parts - 1) as number
    order by number
    returning batch_id, number
),

placed as (
    select
        *,
        row_number() over (partition by lane order by action desc, record_key collate "C") - 1 as place
    from planned
),

numbered as (
    select
        placed.*,
        lanes.first_number + placed.place / lanes.size as number
    from placed
    inner join lanes using (lane)
)

insert into activation.outbox (batch_id, account, sync, record_key, customer_id, action, fields, field_hash, field_marks, stage)
select batches.batch_id, %(account)s, %(sync)s, record_key, customer_id, action, fields, field_hash, {marks}, {stage}
from numbered
inner join batches using (number)
order by batches.batch_id, numbered.place
