-- One view of what a night cost, instead of two that had to be brought together by time.

comment on column control.stations.rows_in is
    'ingest: records received; raw gate: records judged; core: records of the loads it takes in; release: customers made '
    'again; release gate: rows of all marts; publish: segment members; sync: records to be added, changed or removed. '
    'begin moves no rows; prune has none to tell.';
comment on column control.stations.rows_out is
    'ingest: records stored; gates: expectations that did not hold; core: customers changed; release: rows written; '
    'publish: stays in segments begun or ended; sync: records that the platform confirmed.';
comment on column control.stations.peak_memory is
    'bytes of the process that did the work, or of a child if that was larger, at their most while the station worked; null '
    'where the system cannot say. The database server''s own memory is not in it.';

create index on control.runs (started_at);
create index on control.releases (published_at);

drop view marts.stations;
drop view marts.runs;

create view marts.runs as
with placed as (
    select
        stations.*,
        case
            when stations.run_id is not null then stations.run_id
            when stations.station in ('sync', 'prune') then (
                select releases.run_id
                from control.releases as releases
                where releases.published_at <= stations.started_at
                order by releases.published_at desc
                limit 1
            )
            else (
                select min(runs.run_id)
                from control.runs as runs
                where runs.started_at >= stations.started_at
            )
        end as of_run_id
    from control.stations as stations
),

worked as (
    select
        of_run_id as run_id,
        station,
        subject,
        (array_agg(status order by station_run_id desc))[1] as status,
        count(*) as attempts,
        (array_agg(rows_in order by station_run_id desc))[1] as rows_in,
        (array_agg(rows_out order by station_run_id desc))[1] as rows_out,
        sum(extract(epoch from ended_at - started_at)) as seconds,
        max(peak_memory) as peak_memory_bytes,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        (array_agg(message order by station_run_id desc))[1] as message
    from placed
    group by of_run_id, station, subject
)

select
    run_id,
    releases.release_id,
    runs.as_of,
    runs.status as run_status,
    worked.station,
    worked.subject,
    worked.status,
    worked.attempts,
    worked.rows_in,
    worked.rows_out,
    round(worked.seconds, 3) as seconds,
    round(worked.seconds / nullif(sum(worked.seconds) over (partition by run_id), 0), 4) as share,
    worked.peak_memory_bytes,
    worked.started_at,
    worked.ended_at,
    worked.message,
    runs.slot,
    cardinality(runs.loads) as loads,
    runs.late_sources,
    runs.full_refresh,
    runs.fingerprint,
    runs.started_at as run_started_at,
    runs.ended_at as run_ended_at,
    round(extract(epoch from runs.ended_at - runs.started_at), 1) as run_seconds,
    runs.message as run_message
from worked
full join control.runs as runs using (run_id)
left join control.releases as releases using (run_id);

comment on view marts.runs is
    'One row a run, station and subject (source or sync): rows in and out, seconds, memory. What came before a run belongs to it, '
    'and the pushes after its release; run_id is null for what no run has followed yet. A station that was tried again is one '
    'row: the time of all attempts, the outcome of the last. run_* and as_of, slot, loads... are of the whole run. Times UTC.';
comment on column marts.runs.status is 'running, done or failed: the last attempt of the station';
comment on column marts.runs.run_status is 'running, published, unchanged, gate_closed, failed or abandoned';
comment on column marts.runs.attempts is 'times that the station worked for this run';
comment on column marts.runs.rows_in is
    'rows that went in, of the last attempt. ingest: records received; raw gate: records judged; core: records of the loads it '
    'takes in; release: customers made again; release gate: rows of all marts; publish: segment members; sync: records to push. '
    'Null: the station moves none, or failed';
comment on column marts.runs.rows_out is
    'what came out, of the last attempt. ingest: records stored; gates: expectations that did not hold; core: customers changed; '
    'release: rows written; publish: stays in segments begun or ended; sync: records confirmed';
comment on column marts.runs.seconds is 'seconds of work, all attempts';
comment on column marts.runs.share is
    'part of the seconds of all stations of the run, 0 to 1; stations that worked side by side each count';
comment on column marts.runs.peak_memory_bytes is
    'bytes of the process that did the work at its most, without the database server''s';
comment on column marts.runs.run_seconds is 'seconds from the run''s beginning to its end, ingests and pushes not included';
