-- Every member of the segment, with the verdict: may the platform hold them?
create temporary table members on commit drop as
with segment as (
    {members}
),

people as (
    select
        segment.customer_id,
        nullif(trim({key}::text), '') as record_key,
        {fields}::text as fields,
        {consented} as is_consented,
        {why} as why
    from segment
    left join marts.customers as customers using (customer_id)
    {barred}
    {kept}
    offset 0  -- fields are made once: for themselves and for their hash
),

assigned as (
    select
        customer_id,
        arm
    from activation.holdouts
    where experiment = %(experiment)s
),

-- Who was reached before a holdout was declared cannot serve as one, nor is anybody taken back by a cap.
held as (
    select record_key from activation.records
    where account = %(account)s and sync = %(sync)s and field_hash is not null
        and (%(experiment)s::text is not null or %(kind)s::text is not null)
),

drawn as (
    select
        people.*,
        held.record_key is not null as is_held,
        case
            when %(experiment)s::text is null then null
            when assigned.arm is not null then assigned.arm
            when held.record_key is not null then 'treatment'
            when
                ('x' || left(encode(sha256(convert_to(%(salt)s || ':' || people.customer_id, 'utf8')), 'hex'), 8))::bit(32)::bigint
                < %(share)s::double precision * 4294967296
                then 'holdout'
            else 'treatment'
        end as arm
    from people
    left join assigned using (customer_id)
    left join held using (record_key)
),

judged as (
    select
        customer_id,
        record_key,
        arm,
        fields,
        case
            when record_key is null then 'unreachable'
            when not is_consented then 'without consent'
            when why in ('suppressed', 'left out') then why
            when why = 'capped' and not is_held then why
            when arm = 'holdout' and why is distinct from 'picked' then 'held out'
            else 'send'
        end as verdict
    from drawn
)

select
    customer_id,
    record_key,
    arm,
    fields,
    md5(fields) as field_hash,
    verdict
from judged
