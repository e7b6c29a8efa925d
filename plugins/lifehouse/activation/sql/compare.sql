-- What the platform told, against what we believe: a row for each of ours, and one for each of theirs that none of ours is.
-- Its own id comes first: a platform may write a key in another form than we do.
create temporary table compared on commit drop as
with theirs as (
    select
        key,
        id,
        row_number() over () as number
    from (select distinct key, id from there) as there
),

by_id as (
    select
        id,
        min(number) as number
    from theirs
    where id is not null
    group by id
),

by_key as (
    select
        lower(key) as key,
        min(number) as number
    from theirs
    where key is not null
    group by lower(key)
),

in_flight as (
    select record_key from activation.in_flight
    where account = %(account)s and sync = %(sync)s
),

ours as (
    select
        records.record_key,
        records.customer_id,
        coalesce(by_id.number, by_key.number) as number,
        in_flight.record_key is not null as is_in_flight
    from activation.records as records
    left join by_id on records.platform_id = by_id.id
    left join by_key on lower(records.record_key) = by_key.key
    left join in_flight on records.record_key = in_flight.record_key
    where records.account = %(account)s and records.sync = %(sync)s and records.field_hash is not null
)

select
    ours.record_key,
    ours.customer_id,
    theirs.key as their_key,
    theirs.id as their_id,
    case
        when ours.number is not null and theirs.number is not null then 'both'
        when ours.record_key is null then 'only there'
        when ours.is_in_flight then 'in flight'
        else 'only here'
    end as side,
    members.record_key is not null as is_desired
from ours
full outer join theirs on ours.number = theirs.number
left join members on members.verdict = 'send' and lower(members.record_key) = lower(coalesce(ours.record_key, theirs.key))
