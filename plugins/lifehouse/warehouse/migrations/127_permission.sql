-- Who may not be sent what, beside consent: suppressions for all syncs, hand-picked members of one, how often a kind of
-- push may reach the same customer.

create table activation.suppressions (
    suppression_id  bigint generated always as identity primary key,
    identifier_kind text        not null,   -- customer, or a kind of marts.customer_identifiers
    identifier      text        not null,   -- of a customer its id; else a keyed hash of the identifier in its one shape
    channel         text,                   -- null: every channel
    account         text,                   -- null: every platform account
    origin          text        not null check (origin in ('person', 'platform')),
    yields_to_grant boolean     not null default false,   -- a consent granted later ends it
    reason          text        not null,
    author          text        not null,
    since           timestamptz not null default clock_timestamp(),
    until           timestamptz,
    lifted_at       timestamptz,
    lifted_by       text,
    check ((lifted_at is null) = (lifted_by is null))
);
create index on activation.suppressions (identifier_kind, identifier) where lifted_at is null;
comment on table activation.suppressions is
    'Who is not to be sent anything, or not by this channel or account, whatever they consented to; nothing personal as it is.';

create table activation.picks (
    pick_id         bigint generated always as identity primary key,
    sync            text        not null,
    customer_id     text        not null,
    is_in           boolean     not null,   -- always in, or always out
    reason          text        not null,
    author          text        not null,
    since           timestamptz not null default clock_timestamp(),
    until           timestamptz,
    lifted_at       timestamptz,
    lifted_by       text,
    check ((lifted_at is null) = (lifted_by is null))
);
create unique index on activation.picks (sync, customer_id) where lifted_at is null;
comment on table activation.picks is
    'Members that a person picked for a sync by hand: always in (consent and suppressions still win), or always out.';

alter table activation.batches add column kind text;   -- of the sync that made it: what frequency caps count
create index on activation.batches (kind, made_at) where kind is not null;

alter table activation.sync_runs
    add column suppressed bigint,   -- members on a suppression list
    add column left_out   bigint,   -- members that a person left out
    add column capped     bigint;   -- members who have had as much of this kind as they may
