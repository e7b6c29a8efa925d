-- What an outage of a platform was, on record: how often the circuit opened, for how long, which calls were probes.
alter table activation.sync_runs add column outages integer not null default 0;
alter table activation.sync_runs add column outage_seconds numeric(12, 1) not null default 0;
alter table activation.calls add column is_probe boolean not null default false;
