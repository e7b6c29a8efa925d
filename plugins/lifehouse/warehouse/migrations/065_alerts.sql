-- Alerts: what was to be told of which run, and through which channel it went. Counts and names only.

create table control.alerts (
    alert_id     bigint generated always as identity primary key,
    subject      text        not null,   -- marts, source <name>, sync <name>
    run_key      text        not null,   -- the orchestrator's name of the run
    event        text        not null check (event in ('gate_closed', 'failed', 'late', 'warnings', 'recovered')),
    content      jsonb       not null,
    noted_at     timestamptz not null default clock_timestamp()
);
-- A run ends badly once: as a closed gate or as a failure, whatever number of its tasks say so.
create unique index alerts_one_a_run on control.alerts
    (subject, run_key, (case when event = 'gate_closed' then 'failed' else event end));
create index on control.alerts (subject, alert_id);

create table control.alert_sends (
    alert_id     bigint      not null references control.alerts,
    channel      text        not null,
    status       text        not null default 'waiting' check (status in ('waiting', 'sent', 'given_up')),
    attempts     integer     not null default 0,
    lease_until  timestamptz,            -- while somebody sends it, and between attempts
    sent_at      timestamptz,            -- set after the channel took it: a sender killed in between sends once more
    error        text,                   -- of the last attempt
    primary key (alert_id, channel),
    check ((status = 'sent') = (sent_at is not null))
);
create index on control.alert_sends (channel) where status = 'waiting';
