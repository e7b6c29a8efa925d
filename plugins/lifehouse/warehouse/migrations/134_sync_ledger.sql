-- The syncs' ledger for readers: runs, what became of their rows, the calls, what platforms were found to hold. Counts and
-- reasons (masked when they were kept); neither keys nor customers.

create index on activation.batches (sync_run_id);

create view marts.sync_runs as
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
comment on view marts.sync_runs is 'One row a run of a sync: what it planned, in rows, what became of it, in how many calls. Times UTC.';
comment on column marts.sync_runs.account is 'the platform account, by the name of its connection';
comment on column marts.sync_runs.status is 'running, done, refused (a guard, or the platform refused too many rows) or failed';
comment on column marts.sync_runs.only_failed is 'sent only what was refused before';
comment on column marts.sync_runs.release_id is 'the release that it spoke about; null where it planned nothing';
comment on column marts.sync_runs.desired is 'rows that the platform should hold';
comment on column marts.sync_runs.held_before is 'rows that it was known to hold from this sync when the run began';
comment on column marts.sync_runs.held_out is 'members kept back so that the effect can be measured';
comment on column marts.sync_runs.without_consent is 'members kept back for want of consent';
comment on column marts.sync_runs.unreachable is 'members without the key by which the platform knows people';
comment on column marts.sync_runs.shared_key is 'members whose key another member has too';
comment on column marts.sync_runs.waiting is 'rows refused earlier and unchanged since';
comment on column marts.sync_runs.adds is 'rows planned to be added; changes and removes likewise';
comment on column marts.sync_runs.confirmed is 'rows that the platform confirmed';
comment on column marts.sync_runs.refused is 'rows that it refused; sync_rows has the reasons';
comment on column marts.sync_runs.withdrawn is 'rows kept back when their turn came: no longer allowed';
comment on column marts.sync_runs.repeated is 'rows sent again, to a platform that is not keyed, without knowing whether they had arrived';
comment on column marts.sync_runs.calls is 'requests to the platform';
comment on column marts.sync_runs.outages is 'times that the platform answered no call';
comment on column marts.sync_runs.outage_seconds is 'seconds that those outages took';
comment on column marts.sync_runs.message is 'why it ended so, or what it has to tell all the same';
comment on column marts.sync_runs.suppressed is 'members on a suppression list';
comment on column marts.sync_runs.left_out is 'members whom a person left out by hand';
comment on column marts.sync_runs.capped is 'members who have had as much of this kind as they may';

create view marts.sync_rows as
select
    batches.sync_run_id,
    batches.sync,
    batches.account,
    batches.release_id,
    outbox.action,
    case when outbox.status = 'intent' and batches.status = 'sent' then 'sent' else outbox.status end as status,
    outbox.reason,
    count(*) as rows,
    min(outbox.settled_at) as first_settled_at,
    max(outbox.settled_at) as last_settled_at
from activation.outbox as outbox
inner join activation.batches as batches using (batch_id)
group by 1, 2, 3, 4, 5, 6, 7;
comment on view marts.sync_rows is 'One row a run, action, status and reason: how many rows came to that end. Times UTC.';
comment on column marts.sync_rows.sync_run_id is 'the run that planned them; a later one may have sent them';
comment on column marts.sync_rows.action is 'add, change or remove';
comment on column marts.sync_rows.status is
    'intent (not sent), sent (the answer is missing), confirmed, refused, withdrawn (no longer allowed) or superseded (planned anew)';
comment on column marts.sync_rows.reason is 'the platform''s own words where it refused, with what looks personal masked';
comment on column marts.sync_rows.rows is 'count of rows';

create view marts.sync_calls as
select
    calls.sync_run_id,
    runs.sync,
    runs.platform,
    runs.account,
    calls.outcome,
    calls.status_code,
    count(*) as batches,
    sum(calls.requests) as requests,
    sum(calls.rows) as rows,
    count(*) filter (where calls.is_probe) as probes,
    round(percentile_cont(0.5) within group (order by calls.milliseconds)::numeric, 1) as median_ms,
    round(percentile_cont(0.95) within group (order by calls.milliseconds)::numeric, 1) as p95_ms,
    round(percentile_cont(0.99) within group (order by calls.milliseconds)::numeric, 1) as p99_ms,
    max(calls.milliseconds) as slowest_ms,
    min(calls.started_at) as first_at,
    max(calls.started_at) as last_at
from activation.calls as calls
inner join activation.sync_runs as runs using (sync_run_id)
group by 1, 2, 3, 4, 5, 6;
comment on view marts.sync_calls is 'One row a run, outcome and status: how often batches were handed to the platform, and how long that took. Times UTC.';
comment on column marts.sync_calls.outcome is
    'settled (it spoke of every row), refused (the batch as a whole), again (no answer that counts, or a rate limit) or down (no batch has a chance)';
comment on column marts.sync_calls.status_code is 'of HTTP; null where there was none';
comment on column marts.sync_calls.batches is 'times that a batch was handed over';
comment on column marts.sync_calls.requests is 'requests that took: a batch may need several';
comment on column marts.sync_calls.rows is 'rows in them; those of a batch sent again count again';
comment on column marts.sync_calls.probes is 'batches that were sent to see whether the platform is back';
comment on column marts.sync_calls.median_ms is 'milliseconds from a batch''s first request to its last answer, jobs and their polls included: the median';
comment on column marts.sync_calls.p95_ms is 'milliseconds, 95th percentile';
comment on column marts.sync_calls.p99_ms is 'milliseconds, 99th percentile';
comment on column marts.sync_calls.slowest_ms is 'milliseconds, the slowest';

create view marts.reconciliations as
select
    reconciliation_id,
    sync,
    account,
    there,
    ours,
    both_hold,
    only_here,
    only_there,
    in_flight,
    resent,
    gone,
    started_at,
    ended_at
from activation.reconciliations;
comment on view marts.reconciliations is 'One row each time a platform was read back: what it holds against what we believe, in rows. Times UTC.';
comment on column marts.reconciliations.there is 'rows that the platform told';
comment on column marts.reconciliations.ours is 'rows that we believed it to hold from this sync';
comment on column marts.reconciliations.both_hold is 'rows of both';
comment on column marts.reconciliations.only_here is 'rows that we believed it to hold, and it does not';
comment on column marts.reconciliations.only_there is 'rows that it holds, and not from this sync';
comment on column marts.reconciliations.in_flight is 'rows of ours that were not judged: its answer is missing';
comment on column marts.reconciliations.resent is 'of only_here, repaired: sent again by the next sync';
comment on column marts.reconciliations.gone is 'of only_here, repaired: they belong there no longer';
