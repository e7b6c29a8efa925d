-- Leaving and coming back is a change: a refused removal of someone who belongs there again is forgotten, and so is
-- the refusal of someone who no longer belongs there and never got there.
with desired as (
    select record_key from members
    where verdict = 'send'
),

moot as (
    select
        records.record_key,
        records.field_hash
    from activation.records as records
    left join desired using (record_key)
    where
        records.account = %(account)s and records.sync = %(sync)s
        and records.refused_action is not null
        and (records.refused_action = 'remove') = (desired.record_key is not null)
),

gone as (
    delete from activation.records as records
    using moot
    where
        records.account = %(account)s and records.sync = %(sync)s
        and records.record_key = moot.record_key and moot.field_hash is null
)

update activation.records as records
set refused_action = null, refused_hash = null, refused_reason = null, refused_at = null
from moot
where
    records.account = %(account)s and records.sync = %(sync)s
    and records.record_key = moot.record_key and moot.field_hash is not null
