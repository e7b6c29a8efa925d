{{ as_of_model() }}

with declared as (
    select
        lifecycle,
        stage,
        stage_order,
        string_to_array(onward, '|') as onward
    from {{ ref('lifecycle_stages') }}
    where onward <> ''
),

moves as (
    select
        customer_id,
        lifecycle,
        stage,
        entered_at,
        case when exited_at <= {{ as_of() }} then exited_at end as exited_at,
        lead(stage) over (partition by customer_id, lifecycle order by entered_at) as went_to
    from {{ ref('stage_history') }}
    where entered_at <= {{ as_of() }}
),

stays as (
    select
        moves.*,
        moves.went_to = any(declared.onward) as is_onward
    from moves
    inner join declared using (lifecycle, stage)
),

-- The time within which three of four who went on had done so.
usual as (
    select
        lifecycle,
        stage,
        percentile_disc(0.75) within group (order by exited_at - entered_at) as usual_time
    from stays
    where is_onward and exited_at > {{ as_of() }} - interval '8760 hours'
    group by lifecycle, stage
),

decided as (
    select
        stays.customer_id,
        stays.lifecycle,
        stays.stage,
        coalesce(stays.went_to, stays.stage) as to_stage,
        coalesce(stays.is_onward, false) as is_onward,
        coalesce(stays.exited_at, stays.entered_at + usual.usual_time) as decided_at
    from stays
    left join usual using (lifecycle, stage)
),

judged as (
    select
        row_number() over () as number,
        *
    from decided
    where decided_at > {{ as_of() }} - interval '8760 hours' and decided_at <= {{ as_of() }}
),

-- What each bought in the 2160 hours from then on: one running sum a customer, read at both ends.
moments as (
    select
        customer_id,
        occurred_at as at,
        null::bigint as number,
        null::integer as sign,
        case when currency = '{{ var("reporting_currency") }}' then amount else 0 end as amount,
        (amount <> 0 and currency is distinct from '{{ var("reporting_currency") }}')::integer
            as left_out
    from {{ ref('customer_events') }}
    where event_type in ('order', 'refund') and occurred_at <= {{ as_of() }}

    union all

    select
        judged.customer_id,
        judged.decided_at + ends.later,
        judged.number,
        ends.sign,
        0,
        0
    from judged
    cross join (
        values (interval '0 hours', -1), (interval '2160 hours', 1)
    ) as ends (later, sign)
    where judged.decided_at <= {{ as_of() }} - interval '2160 hours'
),

running as (
    select
        number,
        sign,
        sum(amount) over life as amount,
        sum(left_out) over life as left_out
    from moments
    window life as (partition by customer_id order by at)
),

bought as (
    select
        number,
        sum(sign * amount) as amount,
        sum(sign * left_out) as left_out
    from running
    where number is not null
    group by number
),

-- Of each stage those who went on, together, and those who did not, by where they went.
counted as (
    select
        judged.lifecycle,
        judged.stage,
        judged.is_onward,
        case when not judged.is_onward then judged.to_stage end as dropped_to,
        count(*) as stays,
        count(distinct judged.customer_id) as customers,
        avg(bought.amount) as worth,
        sum(bought.left_out) as left_out
    from judged
    left join bought using (number)
    group by judged.lifecycle, judged.stage, judged.is_onward, dropped_to
),

onward as (
    select * from counted
    where is_onward
),

dropped as (
    select * from counted
    where not is_onward
),

valued as (
    select
        dropped.lifecycle,
        dropped.stage as from_stage,
        declared.stage_order as from_stage_order,
        dropped.dropped_to as to_stage,
        case when dropped.stage = dropped.dropped_to then 'stayed' else 'moved away' end as gap,
        dropped.customers,
        coalesce(onward.customers, 0) as customers_onward,
        (
            dropped.stays
            / (coalesce(onward.stays, 0) + sum(dropped.stays) over stage)
        )::numeric(6, 5) as share,
        (extract(epoch from usual.usual_time) / 86400)::numeric(12, 3) as usual_days,
        onward.worth::numeric(20, 4) as worth_onward,
        dropped.worth::numeric(20, 4) as worth_dropped,
        (dropped.customers * (onward.worth - dropped.worth))::numeric(20, 4) as value_lost,
        (coalesce(onward.left_out, 0) + coalesce(dropped.left_out, 0))::bigint as orders_left_out
    from dropped
    inner join declared using (lifecycle, stage)
    left join onward using (lifecycle, stage)
    left join usual using (lifecycle, stage)
    window stage as (partition by dropped.lifecycle, dropped.stage)
)

select
    lifecycle,
    (
        row_number() over (
            partition by lifecycle
            order by value_lost desc nulls last, customers desc, from_stage_order, to_stage
        )
    )::integer as rank,
    from_stage,
    to_stage,
    gap,
    customers,
    customers_onward,
    share,
    usual_days,
    worth_onward,
    worth_dropped,
    value_lost,
    '{{ var("reporting_currency") }}' as currency,
    orders_left_out
from valued
