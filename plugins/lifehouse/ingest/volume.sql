-- One row for each day that a table's history or a load has: rows of the day before the load, and with it.
with profiles as (
    select
        profiles.load_id,
        profiles.load_id = %(load)s as is_found,
        profiles.table_name,
        profiles.day,
        sum(profiles.total) as rows
    from control.load_profiles as profiles
    inner join control.loads as loads on profiles.load_id = loads.load_id
    where loads.source = %(source)s
        and profiles.measure = 'rows'
        and profiles.table_name = any(%(clocked)s)
        and profiles.day > %(newest)s::date - %(remembered)s
        and profiles.day <= %(newest)s::date
        and (profiles.load_id = %(load)s or (loads.status = 'accepted' and profiles.load_id < %(load)s))
    group by 1, 2, 3, 4
),
days as (
    select
        day,
        sum(rows) filter (where table_name = %(table)s and not is_found) as added,
        max(rows) filter (where table_name = %(table)s and not is_found) as greatest,
        coalesce(sum(rows) filter (where table_name = %(table)s and is_found), 0) as found,
        coalesce(sum(rows) filter (where table_name <> %(table)s and not is_found), 0) as elsewhere_before,
        coalesce(sum(rows) filter (where table_name <> %(table)s), 0) as elsewhere
    from profiles
    group by day
),
newest as (
    -- the last day that each earlier load reached, and what it had of it
    select distinct on (load_id) load_id, day, rows
    from profiles
    where table_name = %(table)s and not is_found
    order by load_id, day desc
),
reached as (
    select day, max(rows) as newest from newest group by day
)
select
    days.day,
    coalesce(case when %(replaces)s then days.greatest else days.added end, 0) as before,
    days.found,
    days.elsewhere_before,
    days.elsewhere,
    reached.newest
from days
left join reached on days.day = reached.day
order by days.day
