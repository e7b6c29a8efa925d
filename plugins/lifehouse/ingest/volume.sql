-- One row for each table that is asked for and each day that the source's history or the load has: rows of the day before
-- the load, and with it.
with asked as (
    select table_name, replaces from unnest(%(tables)s::text[], %(replaces)s::boolean[]) as asked (table_name, replaces)
),
profiles as (
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
        and profiles.day > %(reach)s::date - %(remembered)s
        and profiles.day <= %(reach)s::date
        and (profiles.load_id = %(load)s or (loads.status = 'accepted' and profiles.load_id < %(load)s))
    group by 1, 2, 3, 4
),
days as (
    select
        day,
        coalesce(sum(rows) filter (where not is_found), 0) as before,
        sum(rows) as all_rows
    from profiles
    group by day
),
own as (
    select
        table_name,
        day,
        coalesce(sum(rows) filter (where not is_found), 0) as added,
        coalesce(max(rows) filter (where not is_found), 0) as greatest,
        coalesce(sum(rows) filter (where is_found), 0) as found,
        sum(rows) as all_rows
    from profiles
    group by table_name, day
),
newest as (
    -- the last day that each earlier load reached, and what it had of it
    select distinct on (table_name, load_id) table_name, load_id, day, rows
    from profiles
    where not is_found
    order by table_name, load_id, day desc
),
reached as (
    select table_name, day, max(rows) as newest from newest group by table_name, day
)
select
    asked.table_name,
    days.day,
    coalesce(case when asked.replaces then own.greatest else own.added end, 0) as before,
    coalesce(own.found, 0) as found,
    days.before - coalesce(own.added, 0) as elsewhere_before,
    days.all_rows - coalesce(own.all_rows, 0) as elsewhere,
    reached.newest
from asked
cross join days
left join own on asked.table_name = own.table_name and days.day = own.day
left join reached on asked.table_name = reached.table_name and days.day = reached.day
order by asked.table_name, days.day
