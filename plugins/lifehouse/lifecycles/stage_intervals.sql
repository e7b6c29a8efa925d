-- Compiled from dbt_project/lifecycles/<<lifecycle>>.yml: change the rules there.
{{ per_customer() }}

with customer_events as not materialized (
    select * from {{ ref('customer_events') }}
),

first_instants as (
    select customer_id, min(occurred_at) as occurred_at
    from customer_events
    where {{ changed('customer_events') }}
    group by customer_id
),

starts as (
    select distinct on (customer_id) customer_id, occurred_at, event_type, event_id
    from customer_events
    inner join first_instants using (customer_id, occurred_at)
    order by customer_id, event_id
),

-- What can change a stage: the events that rules name...
events as (
    select
        *,
        lag(event_id) over same_type is null as is_first,
        lag(detail) over same_type as detail_before,
        lead(occurred_at) over same_type as next_at<<marks>>
    from customer_events
    where <<named_events>> and {{ changed('customer_events') }}
    window same_type as (partition by customer_id, event_type order by occurred_at, event_id)
),

-- ...and the days that run out after them (0: the event itself).
waits (event_type, days, after) as (
    values
        <<waits>>
),

points as (
    select
        customer_id, occurred_at as instant, -1 as waited, event_type, event_id,
        0::numeric as amount, null as currency, null as detail, null as detail_before, false as is_paced<<no_marks>>
    from starts
    union all
    select
        events.customer_id, events.occurred_at + waits.days * interval '24 hours', waits.days, events.event_type, events.event_id,
        coalesce(events.amount, 0), events.currency, events.detail, events.detail_before, false<<own_marks>>
    from events
    inner join waits on events.event_type = waits.event_type
    where
        waits.after = 'each'
        or (waits.after = 'first' and events.is_first)
        or (
            waits.after = 'last'
            and (events.next_at is null or events.next_at > events.occurred_at + waits.days * interval '24 hours')
        )<<paced>>
),

-- What the rules ask, at each point; simultaneous events see one another.
figures as (
    select
        customer_id, instant, waited, event_type, event_id,
        <<figures>>
    from points
    window life as (partition by customer_id order by instant)
),

stages as (
    select
        customer_id, instant, waited, event_type, event_id,
        case
<<cases>>
        end as stage_order
    from figures
),

steps as (
    select *, lag(stage_order) over (partition by customer_id order by instant, waited, event_id) as left_order
    from stages
),

moves as (
    select *, lead(instant) over (partition by customer_id order by instant) as exited_at
    from steps
    where left_order is distinct from stage_order
)

select
    customer_id,
    '<<lifecycle>>' as lifecycle,
    case stage_order
<<names>>
    end as stage,
    stage_order,
    instant as entered_at,
    exited_at,
    case when waited < 0 then 'start' when waited = 0 then 'event' else 'window' end as cause_type,
    event_type as cause_event_type,
    event_id as cause_event_id,
    case when waited > 0 then waited end as window_days
from moves
