-- What it takes: desired minus acknowledged, minus what is in flight and what waits since its refusal. Who only left the
-- segment stays there unless the sync mirrors it; who may not be there any longer goes. What is appended is never changed.
create temporary table actions on commit drop as
with desired as (
    select * from members
    where verdict = 'send'
),

records as (
    select * from activation.records
    where account = %(account)s and sync = %(sync)s
),

in_flight as (
    select record_key from activation.in_flight
    where account = %(account)s and sync = %(sync)s
),

differences as (
    select
        coalesce(desired.record_key, records.record_key) as record_key,
        coalesce(desired.customer_id, records.customer_id) as customer_id,
        case
            when desired.record_key is null then 'remove'
            when %(mode)s = 'update' then 'change'
            when records.field_hash is null or records.field_hash = 'unknown' then 'add'
            else 'change'
        end as action,
        desired.fields,
        desired.field_hash,
        records.platform_id,
        records.record_key is null as is_new,
        records.refused_action,
        records.refused_hash
    from desired
    full outer join records on desired.record_key = records.record_key
    where
        desired.field_hash is distinct from records.field_hash
        and case
            when %(mode)s = 'append' then records.field_hash is null or records.field_hash = 'unknown'
            when desired.record_key is not null or %(mode)s = 'mirror' then true
            else not (
                exists (select from marts.customers as customers where customers.customer_id = records.customer_id)
                and {allowed}
            )
        end
)

select
    differences.record_key,
    differences.customer_id,
    differences.action,
    {fields} as fields,
    differences.field_hash,
    differences.platform_id,
    differences.is_new,
    case
        when {quiet} and differences.action <> 'remove' then null  -- waits for the end of the quiet hours
        else
            differences.refused_action is not distinct from differences.action
            and differences.refused_hash is not distinct from differences.field_hash
    end as is_waiting
from differences
left join in_flight on differences.record_key = in_flight.record_key
{people}
where in_flight.record_key is null
