-- A run that waits for a required source: why it is held back, and who published it all the same.

alter table control.runs add column held_why text;
comment on column control.runs.held_why is
    'Why the release gate held the run back although all else held: the required sources that are late. Null: a person asked for it.';

alter table control.releases
    add column published_by text,
    add column publish_reason text;
comment on column control.releases.published_by is 'the person who published a held run; null: the night did';
comment on column control.releases.publish_reason is 'why that person published a run that was held back';

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
    runs.late_details,
    runs.held_why,
    releases.published_by,
    releases.publish_reason
from control.releases as releases
inner join control.runs as runs using (run_id)
left join control.published as published using (release_id);
comment on view marts.releases is
    'One row a release: as of when (UTC), when published, whether it is served now, which sources were late, since when and why; '
    'whether it was held back for one of them, and who published it with what reason.';
