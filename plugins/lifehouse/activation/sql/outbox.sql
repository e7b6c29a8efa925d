-- The plan becomes batches, each with its rows in arrays; removals travel first. Actions that do not share their calls do not
-- share a batch. Rows are in the order of their keys: so are then the entries of the index of records.
with lanes as (
    select *
    from unnest(%(actions)s::text[], %(lanes)s::text[], %(sizes)s::integer[], %(first_numbers)s::bigint[])
        as lanes (action, lane, size, first_number)
),

placed as (
    select
        actions.*,
        lanes.size,
        lanes.first_number,
        {marks} as field_marks,
        {stage} as stage,
        row_number() over (
            partition by lanes.lane
            -- One text to sort by, which the server compares by its first bytes: a third of the work of two.
            order by (case actions.action when 'remove' then '0' when 'change' then '1' else '2' end || actions.record_key) collate "C"
        ) - 1 as place
    from actions
    inner join lanes using (action)
    cross join lateral (select actions.fields::jsonb as object offset 0) as parsed  -- once, for all its marks
    where actions.is_waiting = %(only_failed)s
),

numbered as (
    select
        *,
        first_number + place / size as number
    from placed
)

insert into activation.batches (
    account, sync, sync_run_id, release_id, number, kind, is_new,
    record_keys, customer_ids, actions, fields, field_hashes, field_marks, stages, platform_ids
)
select
    %(account)s,
    %(sync)s,
    %(sync_run_id)s,
    %(release_id)s,
    number,
    %(kind)s::text,
    bool_and(is_new),
    array_agg(record_key order by place),
    array_agg(customer_id order by place),
    array_agg(action order by place),
    array_agg(fields order by place),
    array_agg(field_hash order by place),
    array_agg(field_marks order by place),
    case when count(stage) > 0 then array_agg(stage order by place) end,
    case when count(platform_id) > 0 then array_agg(platform_id order by place) end
from numbered
group by number
order by number
