-- Compiled from dbt_project/lifecycles/<<files>>: change the rules there.

-- What rules name has a number; what happened to a customer is numbered in its order.
with ordered as (
    select
        customer_id, occurred_at, event_type, event_id<<read>>,
        case event_type <<named>> end as named,
        row_number() over (partition by customer_id order by occurred_at, event_id) as place
    from {{ ref('customer_events') }} as customer_events
    where {{ changed('customer_events') }}
),

-- What can change a stage: where a life begins and the events that rules name...
events as (
    select
        *,
        lag(place) over same_type is null as is_first,
        lead(occurred_at) over same_type as next_at<<marks>>
    from ordered
    where place = 1 or named is not null
    window same_type as (partition by customer_id, named order by place)
),

-- ...and the days that run out after them. A wait has a number: 0 is the beginning of a life.
waiting as (
    select
        events.*,
        waits.wait,
        case when waits.wait = 0 then -1<<paces>> else (array[<<days>>])[waits.wait] end as waited
    from events
    cross join lateral unnest(
        case
            when place > 1 then case named <<waits>> end
            else case named <<first_waits>> else array[0] end
        end
    ) as waits (wait)
),

timed as (
    select *, occurred_at + greatest(waited, 0) * interval '24 hours' as instant
    from waiting
    where waited is not null
),

-- Whose lifecycles a point is of: each has bits of its own.
points as (
    select
        customer_id, instant, waited, wait, place, event_type, event_id<<carried>>,
        case when wait = 0 then <<all>> else
            (array[<<each>>])[wait]
            | case when is_first then (array[<<first>>])[wait] else 0 end
            | case when next_at is null or next_at > instant then (array[<<last>>])[wait] else 0 end
        end as lives
    from timed
),

-- What the rules ask, at each point; simultaneous events see one another.
figures as (
    select
        customer_id, instant, waited, place, event_type, event_id, lives,
        row_number() over points_of_life - rank() over life as peers_before,
        <<figures>>
    from points
    where lives <> 0
    window
        life as (partition by customer_id order by instant),
        points_of_life as (partition by customer_id order by instant, waited, place)
),

-- The stages of all lifecycles in one number.
states as (
    select
        customer_id, instant, waited, place, event_type, event_id, lives, peers_before,
        <<states>> as state
    from figures
),

steps as (
    select
        *,
        lag(state, cast(1 + peers_before as integer), <<none>>) over (partition by customer_id order by instant, waited, place) as left_state
    from states
),

changes as (
    select *, ((state | left_state) - (state & left_state)) & lives as moved
    from steps
    where state <> left_state
),

lives (bits) as (
    values <<lives>>
),

-- Of simultaneous points of a lifecycle the first is the cause.
causes as (
    select
        changes.*,
        lives.bits,
        changes.state & lives.bits as own,
        lag(changes.instant) over (
            partition by changes.customer_id, lives.bits order by changes.instant, changes.waited, changes.place
        ) as before_at
    from changes
    inner join lives on (changes.moved & lives.bits) <> 0
),

moves as (
    select *, lead(instant) over (partition by customer_id, bits order by instant) as exited_at
    from causes
    where before_at is null or before_at <> instant
),

stages (own, lifecycle, stage, stage_order) as (
    values
        <<stages>>
)

select
    moves.customer_id,
    stages.lifecycle,
    stages.stage,
    stages.stage_order,
    moves.instant as entered_at,
    moves.exited_at,
    case when moves.waited < 0 then 'start' when moves.waited = 0 then 'event' else 'window' end as cause_type,
    moves.event_type as cause_event_type,
    moves.event_id as cause_event_id,
    case when moves.waited > 0 then moves.waited end as window_days
from moves
inner join stages on moves.own = stages.own
