insert into activation.exceptions (batch_id, place, status, reason, settled_at)
select
    %(batch_id)s,
    place,
    'withdrawn',
    case
        when why = 'quiet' then 'quiet: the night began there before it was sent; the next sync after the quiet hours sends it'
        else 'no longer allowed: ' || why
    end,
    clock_timestamp()
from unnest(%(places)s::integer[], %(whys)s::text[]) as barred (place, why)
