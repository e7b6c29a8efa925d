insert into activation.exceptions (batch_id, place, status, reason, settled_at)
select %(batch_id)s, place, 'withdrawn', 'no longer allowed', clock_timestamp()
from unnest(%(places)s::integer[]) as barred (place)
