-- What the ledger says of rows that were planned and then kept back: for good, or until the morning.

comment on column marts.sync_runs.withdrawn is 'rows kept back when their turn came: no longer allowed, or not before their morning; sync_rows tells which';
comment on column marts.sync_rows.status is
    'intent (not sent), sent (the answer is missing), confirmed, refused, withdrawn (kept back when its turn came: see reason) or superseded (planned anew)';
comment on column marts.sync_rows.reason is
    'the platform''s own words where it refused, with what looks personal masked; of withdrawn rows why they are no longer allowed, or quiet: the night began there before they were sent, the next sync after it sends them';
