-- Why a source was late when a release was built, and since when.

alter table control.runs add column late_details jsonb not null default '[]';
comment on column control.runs.late_details is
    'One object a late source: why (rejected, missed, never), since, delivered_at, load_id, and a sentence.';

create or replace view marts.releases as
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
    releases.fingerprint,
    runs.late_details
from control.releases as releases
inner join control.runs as runs using (run_id)
left join control.published as published using (release_id);
comment on view marts.releases is
    'One row a release: as of when (UTC), when published, whether it is served now, which sources were late, since when and why.';
