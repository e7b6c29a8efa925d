-- A person's word that a tripped guard may be passed: by one run, of one release, no further than they saw.
create table activation.approvals (
    approval_id     bigint generated always as identity primary key,
    sync            text        not null,
    account         text        not null,
    release_id      bigint      not null,
    declaration     text        not null,   -- fingerprint of the sync's file
    guards          jsonb       not null,   -- guard -> how far beyond its bound it was seen; null where that is not measured
    adds            bigint      not null,
    changes         bigint      not null,
    removes         bigint      not null,
    in_flight       bigint      not null,
    asked_at        timestamptz not null default clock_timestamp(),
    reason          text        check (trim(reason) <> ''),
    approved_by     text,                   -- null: it was asked for, and nobody has approved it
    approved_at     timestamptz,
    used_by         bigint      references activation.sync_runs,
    used_at         timestamptz,
    check ((approved_by is null) = (approved_at is null) and (approved_by is null) = (reason is null)),
    check ((used_by is null) = (used_at is null)),
    check (used_by is null or approved_by is not null)
);
create index on activation.approvals (sync, account, release_id);
comment on table activation.approvals is
    'Who let a sync run on although a guard had tripped, why, and which run used it; each is good for one run.';
