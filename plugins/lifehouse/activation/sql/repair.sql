-- Who is not there although we believed so: sent again if they belong there, forgotten if not. What is only there stays.
with missing as (
    select record_key, bool_or(is_desired) as is_desired from compared
    where side = 'only here'
    group by record_key
),

resent as (
    update activation.records as records
    set field_hash = 'unknown', platform_id = null
    from missing
    where
        records.account = %(account)s and records.sync = %(sync)s
        and records.record_key = missing.record_key and missing.is_desired
    returning 1
),

gone as (
    delete from activation.records as records
    using missing
    where
        records.account = %(account)s and records.sync = %(sync)s
        and records.record_key = missing.record_key and not missing.is_desired
    returning 1
)

select
    (select count(*) from resent) as resent,
    (select count(*) from gone) as gone
