-- Activation: what each platform is believed to hold, what is on its way there, and how every push went.
-- A row is open (intent) until the platform answered for it; it is in flight (sent) while its batch is. The lease, the
-- attempts and the Idempotency-Key belong to the batch: one small update claims a hundred rows.

create schema activation;

create table activation.sync_runs (
    sync_run_id     bigint generated always as identity primary key,
    sync            text        not null,
    account         text        not null,
    platform        text        not null,
    status          text        not null default 'running' check (status in ('running', 'done', 'refused', 'failed')),
    only_failed     boolean     not null default false,
    release_id      bigint,
    as_of           timestamptz,
    desired         bigint,     -- rows the platform should hold
    acknowledged    bigint,     -- rows it was known to hold before
    held_out        bigint,
    without_consent bigint,
    unreachable     bigint,     -- members without the key by which the platform knows people
    shared_key      bigint,     -- members whose key another member has too
    waiting         bigint,     -- refused earlier, unchanged since
    adds            bigint      not null default 0,
    changes         bigint      not null default 0,
    removes         bigint      not null default 0,
    confirmed       bigint      not null default 0,
    refused         bigint      not null default 0,
    withdrawn       bigint      not null default 0,   -- not sent: no longer allowed when their turn came
    calls           bigint      not null default 0,
    started_at      timestamptz not null default clock_timestamp(),
    ended_at        timestamptz,
    message         text
);
create index on activation.sync_runs (sync, sync_run_id);

create table activation.batches (
    batch_id        bigint generated always as identity primary key,
    idempotency_key uuid        not null default gen_random_uuid(),
    account         text        not null,
    sync            text        not null,
    sync_run_id     bigint      not null references activation.sync_runs,
    release_id      bigint      not null,
    number          bigint      not null,   -- from 0, within the round that planned it
    status          text        not null default 'ready' check (status in ('ready', 'sent', 'settled', 'superseded')),
    claimed_by      text,                   -- <pid>@<start> of the sender's database session
    lease_until     timestamptz,
    claims          integer     not null default 0,
    made_at         timestamptz not null default clock_timestamp(),
    settled_at      timestamptz,
    check (status <> 'sent' or (claimed_by is not null and lease_until is not null))
);
create index on activation.batches (account, sync, status) where status in ('ready', 'sent');

create table activation.outbox (
    outbox_id       bigint generated always as identity primary key,
    batch_id        bigint      not null references activation.batches,
    account         text        not null,
    sync            text        not null,
    record_key      text        not null,
    customer_id     text        not null,
    action          text        not null check (action in ('add', 'change', 'remove')),
    fields          jsonb,                  -- as sent; emptied when settled
    field_hash      text,
    status          text        not null default 'intent'
                    check (status in ('intent', 'confirmed', 'refused', 'withdrawn', 'superseded')),
    reason          text,                   -- the platform's own, with what looks personal masked
    settled_at      timestamptz,
    check ((status = 'intent') = (settled_at is null)),
    check ((status = 'refused') <= (reason is not null))
);
create unique index outbox_open on activation.outbox (account, sync, record_key) where status = 'intent';
create index on activation.outbox (batch_id);
comment on index activation.outbox_open is 'At most one open row per platform account, sync and record.';

create table activation.records (
    account         text        not null,
    sync            text        not null,
    record_key      text        not null,
    customer_id     text        not null,
    field_hash      text,                   -- of the fields it confirmed; null: it holds nothing from us; 'unknown': it may
    acknowledged_at timestamptz,
    refused_action  text,                   -- the last refusal, until a change or an explicit retry
    refused_hash    text,
    refused_reason  text,
    refused_at      timestamptz,
    primary key (account, sync, record_key),
    check ((field_hash is null) = (acknowledged_at is null)),
    check ((refused_action is null) = (refused_at is null))
);
create index on activation.records (account, sync) where refused_action is not null;

create table activation.calls (
    call_id         bigint generated always as identity primary key,
    sync_run_id     bigint      not null references activation.sync_runs,
    batch_id        bigint      not null references activation.batches,
    rows            integer     not null,
    status_code     integer,                -- of HTTP; null where there is none
    outcome         text        not null,   -- settled, refused (as a whole), again, down
    milliseconds    numeric(12, 1) not null,
    started_at      timestamptz not null
);
create index on activation.calls (sync_run_id);

create table activation.holdouts (
    experiment      text        not null,
    customer_id     text        not null,
    arm             text        not null check (arm in ('treatment', 'holdout')),
    share           numeric     not null,   -- declared when it was drawn
    sync_run_id     bigint      not null references activation.sync_runs,
    assigned_at     timestamptz not null default clock_timestamp(),
    primary key (experiment, customer_id)
);
comment on table activation.holdouts is 'Drawn once by a salted hash, then kept: a later change of share moves nobody.';

create table activation.exposures (
    experiment      text        not null,
    customer_id     text        not null,
    arm             text        not null check (arm in ('treatment', 'holdout')),
    sync            text        not null,
    sync_run_id     bigint      not null references activation.sync_runs,
    exposed_at      timestamptz not null default clock_timestamp(),
    primary key (experiment, customer_id)
);
comment on table activation.exposures is
    'First exposure per experiment: of the treated when the platform confirmed them, of the held out when they would have been sent.';

create view activation.ledger as
select
    outbox.outbox_id,
    outbox.sync,
    outbox.account,
    batches.sync_run_id,
    batches.release_id,
    outbox.record_key,
    outbox.customer_id,
    outbox.action,
    case when outbox.status = 'intent' and batches.status = 'sent' then 'sent' else outbox.status end as status,
    outbox.reason,
    batches.batch_id,
    batches.claimed_by,
    batches.lease_until,
    batches.made_at,
    outbox.settled_at
from activation.outbox as outbox
inner join activation.batches as batches using (batch_id);
comment on view activation.ledger is 'Every row ever planned and what became of it: intent, sent, confirmed, refused, withdrawn, superseded.';
