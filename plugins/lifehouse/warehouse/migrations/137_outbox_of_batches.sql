-- The rows of a batch are planned, sent and settled together, so they stand together: one row of activation.batches holds them
-- in arrays, by their place in the batch. What a hundred rows cost is then a write when they are planned, and a small one each
-- when they are claimed and settled. A row that comes to another end than its batch is an exception, with its reason.

alter table activation.batches
    add column record_keys   text[],
    add column customer_ids  text[],
    add column actions       text[],   -- add, change, remove
    add column fields        text[],   -- JSON objects as sent; emptied when settled
    add column field_hashes  text[],
    add column field_marks   text[],
    add column stages        text[],
    add column platform_ids  text[],   -- the platform's own, as far as they are known
    add column is_new        boolean not null default false;   -- of none of its rows there was a record when it was planned

-- Hashes do not compress, and fields are gone when they are settled: trying costs a fifth of the writing.
alter table activation.batches
    alter column fields set storage external,
    alter column field_hashes set storage external,
    alter column field_marks set storage external;

create table activation.exceptions (
    batch_id        bigint      not null references activation.batches,
    place           integer     not null check (place > 0),   -- of the row in its batch, from 1
    status          text        check (status in ('refused', 'withdrawn')),   -- null: it ends as its batch does
    reason          text        not null,   -- the platform's own, with what looks personal masked, or ours
    settled_at      timestamptz,
    primary key (batch_id, place),
    check ((status is null) = (settled_at is null))
);
comment on table activation.exceptions is 'Rows of batches that came to another end than their batch, or of which more is to be said.';

create temporary table places on commit drop as
select
    batch_id,
    row_number() over (partition by batch_id order by outbox_id)::integer as place,
    outbox_id
from activation.outbox;

update activation.batches as batches
set
    record_keys = held.record_keys, customer_ids = held.customer_ids, actions = held.actions, fields = held.fields,
    field_hashes = held.field_hashes, field_marks = held.field_marks, stages = held.stages, platform_ids = held.platform_ids
from (
    select
        outbox.batch_id,
        array_agg(outbox.record_key order by outbox_id) as record_keys,
        array_agg(outbox.customer_id order by outbox_id) as customer_ids,
        array_agg(outbox.action order by outbox_id) as actions,
        case when count(outbox.fields) > 0 then array_agg(outbox.fields::text order by outbox_id) end as fields,
        array_agg(outbox.field_hash order by outbox_id) as field_hashes,
        array_agg(outbox.field_marks order by outbox_id) as field_marks,
        case when count(outbox.stage) > 0 then array_agg(outbox.stage order by outbox_id) end as stages,
        case
            when count(records.platform_id) filter (where outbox.settled_at is null) > 0
                then array_agg(records.platform_id order by outbox_id)
        end as platform_ids
    from activation.outbox as outbox
    left join activation.records as records using (account, sync, record_key)
    group by outbox.batch_id
) as held
where batches.batch_id = held.batch_id;

insert into activation.exceptions (batch_id, place, status, reason, settled_at)
select
    outbox.batch_id,
    places.place,
    case when outbox.status in ('refused', 'withdrawn') then outbox.status end,
    coalesce(outbox.reason, outbox.status),
    case when outbox.status in ('refused', 'withdrawn') then outbox.settled_at end
from activation.outbox as outbox
inner join places using (batch_id, outbox_id)
where outbox.status in ('refused', 'withdrawn') or outbox.reason is not null;

alter table activation.outbox rename to outbox_of_rows;

create view activation.outbox as
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
    coalesce(
        exceptions.status, case batches.status when 'ready' then 'intent' when 'settled' then 'confirmed' else batches.status end
    ) as status,
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
comment on view activation.outbox is
    'Every row ever planned: intent, sent (the answer is missing), confirmed, refused, withdrawn, superseded. Open as long as settled_at is null.';

-- Of batches that are open alone: what was settled in years is not looked at.
create or replace view activation.in_flight as
select batches.account, batches.sync, rows.record_key
from activation.batches as batches
cross join lateral unnest(batches.record_keys) with ordinality as rows (record_key, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place
where batches.status = 'sent' and exceptions.status is null;

drop view activation.ledger;
create view activation.ledger as
select
    outbox.batch_id,
    outbox.place,
    outbox.sync,
    outbox.account,
    outbox.sync_run_id,
    outbox.release_id,
    outbox.record_key,
    outbox.customer_id,
    outbox.action,
    outbox.status,
    outbox.reason,
    batches.claimed_by,
    batches.lease_until,
    batches.made_at,
    outbox.settled_at
from activation.outbox as outbox
inner join activation.batches as batches using (batch_id);
comment on view activation.ledger is 'Every row ever planned and what became of it: intent, sent, confirmed, refused, withdrawn, superseded.';

create or replace view marts.sync_rows as
select
    batches.sync_run_id,
    batches.sync,
    batches.account,
    batches.release_id,
    rows.action,
    coalesce(
        exceptions.status, case batches.status when 'ready' then 'intent' when 'settled' then 'confirmed' else batches.status end
    ) as status,
    exceptions.reason,
    count(*) as rows,
    min(coalesce(exceptions.settled_at, batches.settled_at)) as first_settled_at,
    max(coalesce(exceptions.settled_at, batches.settled_at)) as last_settled_at
from activation.batches as batches
cross join lateral unnest(batches.actions) with ordinality as rows (action, place)
left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place
group by 1, 2, 3, 4, 5, 6, 7;

drop table activation.outbox_of_rows;

-- Claimed in the order of their making, without looking at those behind.
drop index activation.batches_account_sync_status_idx;
create index on activation.batches (account, sync, status, batch_id) where status in ('ready', 'sent');
