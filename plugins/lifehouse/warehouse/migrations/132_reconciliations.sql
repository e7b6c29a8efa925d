-- What platforms were found to hold, against what we believe: counts.
create table activation.reconciliations (
    reconciliation_id bigint generated always as identity primary key,
    sync              text        not null,
    account           text        not null,
    there             bigint      not null,   -- rows that the platform told
    ours              bigint      not null,   -- rows that we believe it holds
    both_hold         bigint      not null,
    only_here         bigint      not null,   -- we believe it holds them, and it does not
    only_there        bigint      not null,   -- it holds them, and we never added them, or took them away again
    in_flight         bigint      not null,   -- our rows of which its answer is missing: not judged
    resent            bigint      not null default 0,   -- repaired: the next sync sends them again
    gone              bigint      not null default 0,   -- repaired: believed to be there no longer
    started_at        timestamptz not null,
    ended_at          timestamptz not null default clock_timestamp()
);
create index on activation.reconciliations (sync, reconciliation_id);
