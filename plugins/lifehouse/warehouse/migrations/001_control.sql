-- The control tables: what was loaded, what ran, what is published. Append or small updates; never per customer.

create sequence control.change_seq;
comment on sequence control.change_seq is
    'The clock of decisions: each acceptance or rejection of a load takes the next value; watermarks are values of it.';

create table control.loads (
    load_id     bigint generated always as identity primary key,
    source      text        not null,
    status      text        not null default 'open' check (status in ('open', 'accepted', 'rejected')),
    opened_at   timestamptz not null default clock_timestamp(),
    decided_at  timestamptz,
    decided_by  text,
    reason      text,
    change_seq  bigint,     -- set when decided
    check ((status = 'open') = (decided_at is null)),
    check ((status = 'open') = (change_seq is null))
);
create index on control.loads (source, status, load_id);
create index on control.loads (change_seq);

create table control.load_tables (
    load_id     bigint not null references control.loads,
    table_name  text   not null,
    received    bigint not null,   -- rows the source gave; = loaded + unchanged + quarantined
    loaded      bigint not null,
    unchanged   bigint not null,
    quarantined bigint not null,
    cursor_from text,
    cursor_to   text,
    primary key (load_id, table_name),
    check (received = loaded + unchanged + quarantined)
);

create table control.files (
    load_id     bigint not null references control.loads,
    source      text   not null,
    table_name  text   not null,
    file        text   not null,
    size_bytes  bigint not null,
    sha256      text   not null,
    rows        bigint not null,
    primary key (load_id, table_name, file)
);
create index on control.files (source, table_name, file);

create table control.schema_changes (
    noted_at    timestamptz not null default clock_timestamp(),
    load_id     bigint references control.loads,
    source      text not null,
    table_name  text not null,
    column_name text not null,
    kind        text not null,      -- added, missing, retyped
    declared    text,
    found       text
);

create table control.runs (
    run_id       bigint generated always as identity primary key,
    as_of        timestamptz not null,
    status       text not null default 'running'
                 check (status in ('running', 'published', 'unchanged', 'gate_closed', 'failed', 'abandoned')),
    slot         text check (slot in ('blue', 'green')),
    fingerprint  text not null,      -- of the code that builds: models, lifecycles, company settings
    change_seq   bigint not null,    -- decisions on loads up to this one are in the run
    loads        bigint[] not null,  -- the accepted loads the run saw
    full_refresh boolean not null default false,
    late_sources text[] not null default '{}',
    started_at   timestamptz not null default clock_timestamp(),
    ended_at     timestamptz,
    message      text
);

create table control.stations (
    station_run_id bigint generated always as identity primary key,
    run_id       bigint references control.runs,
    load_id      bigint references control.loads,
    station      text not null,      -- extract, record, raw gate, begin, core, identity, release, release gate, publish, sync
    subject      text,               -- source or sync
    status       text not null default 'running' check (status in ('running', 'done', 'failed')),
    rows_in      bigint,
    rows_out     bigint,
    peak_memory  bigint,             -- bytes, of the process that ran it
    details      jsonb not null default '{}',
    started_at   timestamptz not null default clock_timestamp(),
    ended_at     timestamptz,
    message      text
);
create index on control.stations (run_id);

-- What dbt reads of the run at hand; one row, rewritten by `begin`.
create table control.current_run (
    only_row     boolean primary key default true check (only_row),
    run_id       bigint not null,
    as_of        timestamptz not null,
    slot         text not null,
    change_to    bigint not null,    -- decisions up to here are in
    core_from    bigint not null,    -- core has seen decisions up to here
    slot_from    bigint not null     -- the slot has seen customer changes up to here
);

-- How far the single copy of staging and core has come.
create table control.core_state (
    only_row     boolean primary key default true check (only_row),
    fingerprint  text,
    change_seq   bigint not null default 0
);
insert into control.core_state default values;

-- The two copies of the marts.
create table control.slots (
    slot         text primary key check (slot in ('blue', 'green')),
    state        text not null default 'empty' check (state in ('empty', 'building', 'ready')),
    release_id   bigint,             -- the release it holds, when ready
    fingerprint  text,               -- of the code that built it
    change_seq   bigint not null default 0   -- customer changes up to here are in it
);
insert into control.slots (slot) values ('blue'), ('green');

create table control.releases (
    release_id   bigint generated always as identity primary key,
    run_id       bigint not null references control.runs,
    slot         text not null,
    as_of        timestamptz not null,
    fingerprint  text not null,
    change_seq   bigint not null,
    published_at timestamptz not null default clock_timestamp(),
    withdrawn_at timestamptz,        -- set by rollback
    withdrawn_by text
);

-- The one row that every view in marts looks at.
create table control.published (
    only_row     boolean primary key default true check (only_row),
    slot         text not null,
    release_id   bigint not null references control.releases,
    as_of        timestamptz not null,
    published_at timestamptz not null
);

create table control.quality_results (
    result_id    bigint generated always as identity primary key,
    checked_at   timestamptz not null default clock_timestamp(),
    gate         text not null,      -- raw, release, push
    run_id       bigint,
    load_id      bigint,
    subject      text not null,      -- source.table or mart
    expectation  text not null,
    column_name  text,
    severity     text not null,      -- critical closes the gate, warning is shown, info is kept
    success      boolean not null,
    checked      bigint,             -- rows looked at
    failed       bigint,             -- rows that did not hold; never their values
    observed     text,               -- a count or an aggregate
    meaning      text not null,      -- what must hold, in words
    what_to_do   text,
    owner        text
);
create index on control.quality_results (run_id);
create index on control.quality_results (load_id);

create schema quarantine;
create schema staging;
create schema contract;
create schema core;
create schema marts;

-- Keys of source records whose rows in staging changed; the per-customer models follow them to customers.
create table core.changed_keys (
    change_seq   bigint not null,    -- control.current_run.change_to of the run that changed them
    source       text not null,
    kind         text not null check (kind in ('customer', 'order')),
    key          text not null
);
create index on core.changed_keys (change_seq);

-- Who each record belongs to. One row per (source, customer_key) ever seen.
create table core.customer_refs (
    source       text not null,
    customer_key text not null,
    customer_id  text not null,
    primary key (source, customer_key)
);
create index on core.customer_refs (customer_id);

-- The registry: every customer_id ever handed out, and where the retired ones went.
create table core.customer_registry (
    customer_id  text primary key,
    first_run_id bigint not null,
    retired_into text,               -- set when merged into an older customer
    retired_run_id bigint
);

create table core.customer_merges (
    run_id       bigint not null,
    as_of        timestamptz not null,
    retired_id   text not null,
    customer_id  text not null,
    cause        text not null,      -- the kind of identifier that joined them
    primary key (run_id, retired_id)
);

-- Customers whose rows must be made again, with the run's change_to; slots read those above their watermark.
create table core.customer_changes (
    change_seq   bigint not null,
    customer_id  text not null,
    primary key (change_seq, customer_id)
);

-- The customers that the run at hand replaces: scope core (since core's watermark) and slot (since the slot's).
create unlogged table control.run_customers (
    scope        text not null check (scope in ('core', 'slot')),
    customer_id  text not null,
    primary key (scope, customer_id)
);
