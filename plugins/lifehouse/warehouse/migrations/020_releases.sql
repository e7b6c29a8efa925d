-- Releases: the order of decisions, what the release gate passed, what publication leaves behind, and what BI sees of it.

-- A decision takes its number under a shared lock, and a run reads decisions under the exclusive one: so a decision with a
-- smaller number cannot appear after a run that has seen a greater one.
create function control.number_decision() returns trigger language plpgsql as $$
begin
    if new.change_seq is not null and (tg_op = 'INSERT' or new.change_seq is distinct from old.change_seq) then
        perform pg_advisory_xact_lock_shared(7405021);
        new.change_seq := nextval('control.change_seq');
    end if;
    return new;
end
$$;
create trigger number_decision before insert or update of change_seq on control.loads
    for each row execute function control.number_decision();

alter table control.runs add column gate_passed_at timestamptz;
comment on column control.runs.gate_passed_at is 'when the release gate let it pass; only such a run can be published';

alter table control.published add column syncs_paused boolean not null default false;
comment on column control.published.syncs_paused is 'set by rollback, cleared by the next publication; no sync runs while it holds';

create unique index on control.releases (run_id);

-- Facts of publication: outside the two copies, never rebuilt.
create schema history;

create table history.segment_history (
    segment         text        not null,
    customer_id     text        not null,
    entered_release bigint      not null references control.releases,
    entered_as_of   timestamptz not null,
    left_release    bigint      references control.releases,   -- null while a member
    left_as_of      timestamptz,
    primary key (segment, customer_id, entered_release),
    check ((left_release is null) = (left_as_of is null))
);
comment on table history.segment_history is
    'Who was a member of which segment, from the release that first showed it to the one that no longer did. A release that '
    'was rolled back leaves empty intervals (left where entered).';
create unique index on history.segment_history (segment, customer_id) where left_release is null;
create index on history.segment_history (customer_id);
create index on history.segment_history (left_release);

create view marts.releases as
select
    releases.release_id,
    releases.run_id,
    releases.slot,
    releases.as_of,
    releases.published_at,
    releases.withdrawn_at,
    releases.withdrawn_by,
    published.release_id is not null as is_published,
    coalesce(published.syncs_paused, false) as syncs_paused,
    runs.late_sources,
    cardinality(runs.loads) as loads,
    runs.full_refresh,
    releases.fingerprint
from control.releases as releases
inner join control.runs as runs using (run_id)
left join control.published as published using (release_id);
comment on view marts.releases is 'One row a release: as of when (UTC), when published, whether it is served now, which sources were late.';

create view marts.runs as
select
    runs.run_id,
    releases.release_id,
    runs.as_of,
    runs.status,
    runs.slot,
    cardinality(runs.loads) as loads,
    runs.late_sources,
    runs.full_refresh,
    runs.fingerprint,
    runs.started_at,
    runs.ended_at,
    round(extract(epoch from runs.ended_at - runs.started_at), 1) as seconds,
    runs.message
from control.runs as runs
left join control.releases as releases using (run_id);
comment on view marts.runs is 'One row a run: what it read, how it ended, how many seconds it took.';

create view marts.stations as
select
    stations.station_run_id,
    stations.run_id,
    stations.load_id,
    stations.station,
    stations.subject,
    stations.status,
    stations.rows_in,
    stations.rows_out,
    stations.peak_memory as peak_memory_bytes,
    stations.started_at,
    stations.ended_at,
    round(extract(epoch from stations.ended_at - stations.started_at), 1) as seconds,
    stations.message
from control.stations as stations;
comment on view marts.stations is 'One row each time a station worked: rows in and out, seconds, peak memory in bytes.';

create view marts.quality_results as
select
    results.result_id,
    results.checked_at,
    results.gate,
    results.run_id,
    releases.release_id,
    results.load_id,
    results.subject,
    results.expectation,
    results.column_name,
    results.severity,
    results.success,
    results.checked,
    results.failed,
    results.observed,
    results.meaning,
    results.what_to_do,
    results.owner
from control.quality_results as results
left join control.releases as releases using (run_id);
comment on view marts.quality_results is 'One row per expectation judged by a gate: what must hold, whether it did, how many rows did not; counts, never values.';

create view marts.segment_history as
select
    segment,
    customer_id,
    entered_release,
    entered_as_of,
    left_release,
    left_as_of
from history.segment_history;
comment on view marts.segment_history is 'Segment membership over releases: one row per customer, segment and stay; left_* is null while a member.';
