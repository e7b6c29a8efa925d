-- Settling a batch only marks it; what its rows made of activation.records follows for many batches at once ("folded"), beside
-- the sending. Until then its records count as in flight, so that nobody plans them anew.
alter table activation.batches add column to_fold boolean not null default false;   -- settled, and not in activation.records yet
create index on activation.batches (account, sync, batch_id) where to_fold;

comment on table activation.records is
    'What each platform is known to hold. Of batches that were settled while their sync runs, or was killed, it follows: activation.batches.to_fold.';

create or replace view activation.in_flight as
select batches.account, batches.sync, rows.record_key
from (
    select * from activation.batches where status = 'sent'
    union all
    select * from activation.batches where to_fold
) as batches
cross join lateral unnest(batches.record_keys) with ordinality as rows (record_key, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place
where exceptions.status is null;
comment on view activation.in_flight is 'Rows that went out and whose answer is missing, or is not in activation.records yet.';

-- What became of a row: its own end, or its batch's.
create function activation.row_status(batch_status text, own_status text) returns text
language sql immutable parallel safe
return coalesce(own_status, case batch_status when 'ready' then 'intent' when 'settled' then 'confirmed' else batch_status end);

create or replace view activation.outbox as
select
    batches.batch_id,
    rows.place::integer as place,
    batches.sync_run_id,
    batches.release_id,
    batches.account,
    batches.sync,
    rows.record_key,
    rows.customer_id,
    rows.action,
    rows.fields::jsonb as fields,
    rows.field_hash,
    rows.field_marks,
    rows.stage,
    rows.platform_id,
    activation.row_status(batches.status, exceptions.status) as status,
    exceptions.reason,
    coalesce(exceptions.settled_at, batches.settled_at) as settled_at
from activation.batches as batches
cross join lateral unnest(
    batches.record_keys, batches.customer_ids, batches.actions, batches.fields, batches.field_hashes, batches.field_marks,
    batches.stages, batches.platform_ids
) with ordinality as rows (
    record_key, customer_id, action, fields, field_hash, field_marks, stage, platform_id, place
)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place;

create or replace view marts.sync_rows as
select
    batches.sync_run_id,
    batches.sync,
    batches.account,
    batches.release_id,
    rows.action,
    activation.row_status(batches.status, exceptions.status) as status,
    exceptions.reason,
    count(*) as rows,
    min(coalesce(exceptions.settled_at, batches.settled_at)) as first_settled_at,
    max(coalesce(exceptions.settled_at, batches.settled_at)) as last_settled_at
from activation.batches as batches
cross join lateral unnest(batches.actions) with ordinality as rows (action, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place
group by 1, 2, 3, 4, 5, 6, 7;
