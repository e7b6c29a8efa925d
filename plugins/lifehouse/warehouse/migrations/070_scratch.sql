-- Scratch builds: answers about other instants and earlier nights, in schemas of their own beside everything that is served.

-- To whom each record belonged after each run that moved it (null: it was gone): what a night believed can be said again.
create table core.customer_ref_history (
    source       text   not null,
    customer_key text   not null,
    run_id       bigint not null,
    customer_id  text,
    primary key (source, customer_key, run_id)
);
insert into core.customer_ref_history (source, customer_key, run_id, customer_id)
select source, customer_key, (select coalesce(max(run_id), 0) from control.runs), customer_id
from core.customer_refs;

create table control.scratch (
    name         text primary key,
    kind         text        not null check (kind in ('as known', 'backfill')),
    run_id       bigint references control.runs,    -- as known: the run that is told again
    as_of        timestamptz,                       -- as known: of that run
    fingerprint  text        not null,              -- of the code that builds it
    change_seq   bigint      not null,              -- decisions on loads up to this one are known in it
    loads        bigint[]    not null,
    state        text        not null default 'building' check (state in ('building', 'ready')),
    reached      timestamptz,                       -- backfill: the instant at which its workplace stands; null: nowhere
    marts        text[]      not null,
    made_at      timestamptz not null default clock_timestamp(),
    ready_at     timestamptz
);
comment on table control.scratch is
    'One row per scratch build: schema scratch_<name>, made by `lifehouse as-known` or `lifehouse backfill`.';

create table control.scratch_as_ofs (
    name         text        not null references control.scratch on delete cascade,
    as_of        timestamptz not null,
    fingerprint  text        not null,
    change_seq   bigint      not null,
    made_at      timestamptz not null default clock_timestamp(),
    primary key (name, as_of)
);
comment on table control.scratch_as_ofs is 'The instants for which a backfill has its answers, complete.';

alter table control.runs add column held_at timestamptz;
comment on column control.runs.held_at is 'when it was held: built and judged, to be published by a person';
