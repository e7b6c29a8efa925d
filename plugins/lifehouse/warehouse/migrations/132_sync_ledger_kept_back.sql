-- Why else members were kept back: suppression lists, a person's pick, a frequency cap.
create or replace view marts.sync_runs as
select
    runs.sync_run_id,
    runs.sync,
    runs.platform,
    runs.account,
    runs.status,
    runs.only_failed,
    runs.release_id,
    runs.as_of,
    runs.desired,
    runs.acknowledged as held_before,
    runs.held_out,
    runs.without_consent,
    runs.unreachable,
    runs.shared_key,
    runs.waiting,
    runs.adds,
    runs.changes,
    runs.removes,
    runs.confirmed,
    runs.refused,
    runs.withdrawn,
    runs.repeated,
    runs.calls,
    runs.outages,
    runs.outage_seconds,
    runs.started_at,
    runs.ended_at,
    round(extract(epoch from runs.ended_at - runs.started_at), 3) as seconds,
    runs.message,
    runs.suppressed,
    runs.left_out,
    runs.capped
from activation.sync_runs as runs;

comment on column marts.sync_runs.suppressed is 'members on a suppression list';
comment on column marts.sync_runs.left_out is 'members whom a person left out by hand';
comment on column marts.sync_runs.capped is 'members who have had as much of this kind as they may';
