{{ as_of_model() }}

{#-
  Each figure is a sum of contributions, each of which counts at the instants of a span: a stay while it lasts, an event
  while it is in the window and its customer in the stage. Instants are numbered in order, and a span runs from the first
  instant at or after its beginning to the one before the first at or after its end. So a contribution is two rows, in and
  out again, and one running sum over the instants tells the figure at all of them: the cost does not grow with the number
  of periods.
-#}
{% set over = "kpis.over_days * interval '24 hours'" %}
{% set figured -%}
    case
            when kpis.measure = 'mean' then windowed.value
            when kpis.figure = 'amount' then windowed.amount
            else 1
        end
{%- endset %}
{% set figures = [
    'customers', 'entered', 'exited', 'converted', 'part', 'base', 'left_out'
] %}
{% set within = "kpis.within_days * interval '24 hours'" %}

with declared as (
    select
        lifecycle,
        stage,
        row_number() over (order by lifecycle, stage)::int as stage_number,
        string_to_array(onward, '|') as onward
    from {{ ref('lifecycle_stages') }}
),

kpis as (
    select
        declarations.*,
        declared.stage_number,
        string_to_array(declarations.to_stages, '|') as led_to,
        string_to_array(declarations.event_types, '|') as events,
        coalesce(string_to_array(declarations.in_stages, '|'), array[declarations.stage]) as stages
    from {{ ref('kpi_declarations') }} as declarations
    inner join declared using (lifecycle, stage)
),


periods as (
    select * from {{ ref('periods') }}
),

costs as (
    select
        cost_date::timestamp at time zone '{{ var("time_zone") }}' as spent_at,
        case when currency = '{{ var("reporting_currency") }}' then 'part' else 'left_out' end
            as figure,
        case when currency = '{{ var("reporting_currency") }}' then cost else 1 end as amount
    from {{ ref('campaign_daily_costs') }}
),

instants as (
    select
        told_at,
        row_number() over (order by told_at) as place
    from (
        select told_at from periods
        union
        select before_at from periods
        union
        select {{ as_of() }}
    ) as told
),

thresholds as (
    select array_agg(told_at order by told_at) as told from instants
),

stays as (
    select
        stage_history.customer_id,
        stage_history.lifecycle,
        stage_history.stage,
        stage_history.entered_at,
        coalesce(stage_history.exited_at, 'infinity') as exited_at,
        {{ nth_instant("stage_history.entered_at") }} as entered,
        {{ nth_instant("coalesce(stage_history.exited_at, 'infinity')") }} as exited,
        stage_history.cause_event_id,
        lead(stage_history.stage) over (
            partition by stage_history.customer_id, stage_history.lifecycle
            order by stage_history.entered_at
        ) as went_to
    from {{ ref('stage_history') }} as stage_history
    cross join thresholds
    where stage_history.entered_at <= {{ as_of() }}
),

-- The stays that a KPI asks about; entered and left, and so long after as its window lasts.
measured as (
    select
        kpis.stage_number,
        kpis.lifecycle,
        kpis.stage,
        kpis.measure,
        kpis.of_whom,
        kpis.over_days,
        kpis.within_days,
        kpis.events,
        stays.customer_id,
        stays.entered_at,
        stays.exited_at,
        stays.entered,
        stays.exited,
        {{ nth_instant("stays.entered_at + " ~ over) }} as entered_then,
        {{ nth_instant("stays.exited_at + " ~ over) }} as exited_then,
        stays.cause_event_id,
        kpis.led_to is null or coalesce(stays.went_to = any(kpis.led_to), false) as is_led_there
    from kpis
    inner join stays on kpis.lifecycle = stays.lifecycle and stays.stage = any(kpis.stages)
    cross join thresholds
),

asked as (
    select
        stage_number,
        measure,
        figure,
        over_days,
        unnest(events) as event_type
    from kpis
),

windows as (
    select distinct
        event_type,
        over_days
    from asked
    where measure <> 'reached'
),

events as (
    select
        customer_id,
        occurred_at,
        event_type,
        event_id,
        value,
        case when currency = '{{ var("reporting_currency") }}' then amount end as amount,
        (
            coalesce(amount, 0) <> 0
            and currency is distinct from '{{ var("reporting_currency") }}'
        ) as is_left_out
    from {{ ref('customer_events') }}
    where
        occurred_at <= {{ as_of() }}
        and event_type in (select asked.event_type from asked)
),

-- An event is in the window from its own instant on until the window is over, and for as long
-- after that in the one before.
windowed as (
    select
        events.*,
        kpis.over_days,
        {{ nth_instant("events.occurred_at") }} as begun,
        {{ nth_instant("events.occurred_at + " ~ over) }} as ended,
        {{ nth_instant("events.occurred_at + 2 * " ~ over) }} as ended_before
    from events
    inner join windows as kpis using (event_type)
    cross join thresholds
),

listening as (
    select
        measured.stage_number,
        measured.measure,
        measured.over_days,
        measured.customer_id,
        measured.entered,
        measured.exited,
        asked.figure,
        asked.event_type
    from measured
    inner join asked using (stage_number)
    where measured.measure in ('per_customer', 'mean', 'growth', 'share_of_all')
),

-- Who had several counts once.
active as (
    select
        asked.stage_number,
        windowed.customer_id,
        windowed.begun,
        least(
            windowed.ended,
            lead(windowed.begun) over (
                partition by asked.stage_number, windowed.customer_id
                order by windowed.occurred_at, windowed.event_id
            )
        ) as ended
    from asked
    inner join windowed using (event_type, over_days)
    where asked.measure = 'active'
),

reached as (
    select distinct
        kpis.stage_number,
        kpis.customer_id,
        kpis.entered_at
    from measured as kpis
    inner join events
        on
            kpis.customer_id = events.customer_id
            and events.event_type = any(kpis.events)
            and kpis.cause_event_id <> events.event_id
            and kpis.entered_at <= events.occurred_at
            and events.occurred_at <= kpis.entered_at + {{ within }}
    where kpis.measure = 'reached'
),

counted_stays as (
    select
        declared.stage_number,
        stays.entered,
        stays.exited,
        coalesce(stays.went_to = any(declared.onward), false) as is_converted
    from declared
    inner join stays using (lifecycle, stage)
),

spans (stage_number, figure, first_place, end_place, amount) as (
    select
        stage_number,
        'customers',
        entered,
        exited,
        1::numeric
    from counted_stays
    union all
    select
        stage_number,
        'entered',
        entered,
        null,
        1
    from counted_stays
    union all
    select
        stage_number,
        'exited',
        exited,
        null,
        1
    from counted_stays
    union all
    select
        stage_number,
        'converted',
        exited,
        null,
        1
    from counted_stays
    where is_converted

    union all

    -- Of whom: the customers in the stage...
    select
        stage_number,
        'base',
        entered,
        exited,
        1
    from measured
    where measure in ('per_customer', 'active')

    union all

    -- ...those in it when the window began...
    select
        stage_number,
        'base',
        entered_then,
        exited_then,
        1
    from measured
    where measure = 'kept' or of_whom = 'present'

    union all

    -- ...those elsewhere when it began...
    select
        kpis.stage_number,
        'base',
        {{ nth_instant("stays.entered_at + " ~ over) }},
        {{ nth_instant("stays.exited_at + " ~ over) }},
        1
    from kpis
    inner join stays on kpis.lifecycle = stays.lifecycle and kpis.stage <> stays.stage
    cross join thresholds
    where kpis.measure = 'gained'

    union all

    -- ...the stays that ended in it.
    select
        stage_number,
        'base',
        exited,
        exited_then,
        1
    from measured
    where of_whom = 'left' or (measure = 'cost_per_customer' and is_led_there)

    union all

    select
        stage_number,
        'part',
        case of_whom when 'left' then exited else greatest(entered_then, exited) end,
        exited_then,
        1
    from measured
    where measure = 'moved_on' and is_led_there

    union all

    select
        kpis.stage_number,
        'part',
        greatest(kpis.entered, {{ nth_instant("before.entered_at + " ~ over) }}),
        least(kpis.exited, {{ nth_instant("before.exited_at + " ~ over) }}),
        1
    from measured as kpis
    inner join stays as before
        on
            kpis.customer_id = before.customer_id and kpis.lifecycle = before.lifecycle
            and (kpis.measure = 'kept') = (kpis.stage = before.stage)
            and kpis.entered_at >= before.entered_at
    cross join thresholds
    where kpis.measure in ('kept', 'gained')

    union all

    select
        kpis.stage_number,
        figures.figure,
        {{ nth_instant("kpis.entered_at + " ~ within) }},
        {{ nth_instant("kpis.entered_at + " ~ within ~ " + " ~ over) }},
        1
    from measured as kpis
    left join reached using (stage_number, customer_id, entered_at)
    cross join thresholds
    cross join (values ('base'), ('part')) as figures (figure)
    where
        kpis.measure = 'reached'
        and (
            figures.figure = 'base'
            or (kpis.events is not null and reached.customer_id is not null)
            or (
                kpis.events is null and kpis.is_led_there
                and kpis.exited_at <= kpis.entered_at + {{ within }}
            )
        )

    union all

    select
        active.stage_number,
        'part',
        greatest(kpis.entered, active.begun),
        least(kpis.exited, active.ended),
        1
    from active
    inner join measured as kpis
        on
            active.stage_number = kpis.stage_number and active.customer_id = kpis.customer_id
            and active.begun < kpis.exited and active.ended > kpis.entered

    union all

    select
        kpis.stage_number,
        'part',
        greatest(kpis.entered, windowed.begun),
        least(kpis.exited, windowed.ended),
        {{ figured }}
    from windowed
    inner join listening as kpis using (customer_id, event_type, over_days)
    where windowed.begun < kpis.exited and windowed.ended > kpis.entered

    union all

    select
        kpis.stage_number,
        case kpis.measure when 'mean' then 'base' else 'left_out' end,
        greatest(kpis.entered, windowed.begun),
        least(kpis.exited, windowed.ended),
        1
    from windowed
    inner join listening as kpis using (customer_id, event_type, over_days)
    where
        windowed.begun < kpis.exited and windowed.ended > kpis.entered
        and (
            (kpis.measure = 'mean' and windowed.value is not null)
            or (kpis.figure = 'amount' and windowed.is_left_out)
        )

    union all

    select
        kpis.stage_number,
        'base',
        greatest(kpis.entered, windowed.ended),
        least(kpis.exited, windowed.ended_before),
        {{ figured }}
    from windowed
    inner join listening as kpis using (customer_id, event_type, over_days)
    where
        kpis.measure = 'growth'
        and windowed.ended < kpis.exited and windowed.ended_before > kpis.entered

    union all

    select
        kpis.stage_number,
        'base',
        windowed.begun,
        windowed.ended,
        {{ figured }}
    from windowed
    inner join asked as kpis using (event_type, over_days)
    where kpis.measure = 'share_of_all'

    union all

    select
        kpis.stage_number,
        costs.figure,
        {{ nth_instant("costs.spent_at") }},
        {{ nth_instant("costs.spent_at + " ~ over) }},
        costs.amount
    from kpis
    cross join costs
    cross join thresholds
    where kpis.measure = 'cost_per_customer'
),

summed as (
    select
        stage_number,
        figure,
        first_place,
        end_place,
        sum(amount) as amount
    from spans
    where end_place is null or first_place < end_place
    group by stage_number, figure, first_place, end_place
),

steps as (
    select
        {% for figure in figures %}
        sum(edges.amount) filter (where summed.figure = '{{ figure }}') as {{ figure }},
        {% endfor %}
        summed.stage_number,
        edges.place
    from summed
    cross join
        lateral (
            values (summed.first_place, summed.amount), (summed.end_place, -summed.amount)
        ) as edges (place, amount)
    group by summed.stage_number, edges.place
)

select
    declared.lifecycle,
    declared.stage,
    instants.told_at,
    {% for figure in ['customers', 'entered', 'exited', 'converted'] %}
    coalesce(sum(steps.{{ figure }}) over life, 0)::bigint as {{ figure }},
    {% endfor %}
    coalesce(sum(steps.part) over life, 0) as kpi_part,
    coalesce(sum(steps.base) over life, 0) as kpi_base,
    coalesce(sum(steps.left_out) over life, 0)::bigint as kpi_left_out
from declared
cross join instants
left join steps
    on declared.stage_number = steps.stage_number and instants.place = steps.place
window life as (partition by declared.stage_number order by instants.place)
