-- One row for each figure of a load's tables: what was found, and what it was on earlier days.
with spans as (
    select table_name, newest, weekday
    from unnest(%(tables)s::text[], %(newest)s::date[], %(weekdays)s::int[]) as spans (table_name, newest, weekday)
),
profiles as (
    select
        profiles.table_name,
        spans.weekday,
        profiles.load_id = %(load)s as is_found,
        profiles.day,
        profiles.column_name,
        profiles.measure,
        sum(profiles.total) as total,
        sum(profiles.n) as n
    from control.load_profiles as profiles
    inner join spans on profiles.table_name = spans.table_name
    inner join control.loads as loads on profiles.load_id = loads.load_id
    where loads.source = %(source)s
        and profiles.day > spans.newest - %(remembered)s
        and profiles.measure not in ('rows', 'newest')
        and profiles.measure not like 'hour __'
        and (profiles.measure <> 'square' or profiles.load_id = %(load)s)
        and (profiles.load_id = %(load)s or (loads.status = 'accepted' and profiles.load_id < %(load)s))
    group by 1, 2, 3, 4, 5, 6
),
squares as (
    select table_name, column_name, sum(total) as total, sum(n) as n
    from profiles
    where is_found and measure = 'square'
    group by table_name, column_name
),
found as (
    select
        table_name,
        column_name,
        measure,
        sum(n) as n,
        case
            when measure in ('mean', 'length') then ln(greatest(sum(total) / sum(n), 1e-6))
            else sum(total) / sum(n)
        end as value
    from profiles
    where is_found and measure <> 'square'
    group by table_name, column_name, measure
),
groups as (
    select
        *,
        floor(sum(n) over (partition by table_name, column_name, measure order by day desc) / %(few)s) as number
    from profiles
    where not is_found and n > 0 and measure in ('garbled', 'misshapen')
),
daily as (
    select
        table_name,
        weekday,
        day,
        column_name,
        measure,
        case when measure in ('mean', 'length') then ln(greatest(total / n, 1e-6)) else total / n end as value
    from profiles
    where not is_found and n >= %(few)s and measure not in ('garbled', 'misshapen')
    union all
    -- garbled letters and misshapen addresses are never usual, on whatever day: quiet days are taken together until they have enough rows
    select table_name, weekday, max(day), column_name, measure, sum(total) / sum(n)
    from groups
    group by table_name, weekday, column_name, measure, number
),
weekdays as (
    select table_name, column_name, measure, count(*) >= %(enough_of_a_weekday)s as is_enough
    from daily
    where extract(isodow from day) = weekday
    group by table_name, column_name, measure
),
comparable as (
    select daily.*, coalesce(weekdays.is_enough, false) as is_weekday
    from daily
    left join weekdays using (table_name, column_name, measure)
    where not coalesce(weekdays.is_enough, false) or extract(isodow from daily.day) = daily.weekday
),
medians as (
    select table_name, column_name, measure, percentile_cont(0.5) within group (order by value) as median
    from comparable
    group by table_name, column_name, measure
)
select
    found.table_name,
    found.column_name,
    found.measure,
    found.value as found,
    found.n,
    case
        -- the mean's standard error, relative to it
        when found.measure = 'mean' and found.value > -13 then
            sqrt(greatest(squares.total / squares.n - exp(2 * found.value), 0) / squares.n) / exp(found.value)
        else 0
    end as noise,
    medians.median,
    percentile_cont(0.5) within group (order by abs(comparable.value - medians.median)) as mad,
    min(comparable.value) as lowest,
    max(comparable.value) as highest,
    count(comparable.value) as days,
    coalesce(bool_or(comparable.is_weekday), false) as is_weekday
from found
left join comparable using (table_name, column_name, measure)
left join medians using (table_name, column_name, measure)
left join squares using (table_name, column_name)
group by
    found.table_name,
    found.column_name,
    found.measure,
    found.value,
    found.n,
    squares.total,
    squares.n,
    medians.median
order by found.table_name, found.column_name, found.measure
