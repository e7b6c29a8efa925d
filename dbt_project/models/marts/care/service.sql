{{ as_of_model() }}

with costs as (
    select
        source,
        ticket_key,
        sum(amount) filter (where currency = '{{ var("reporting_currency") }}') as cost,
        count(*) filter (where currency is distinct from '{{ var("reporting_currency") }}')
            as costs_left_out
    from {{ ref('contract_service_costs') }}
    where incurred_at <= {{ as_of() }}
    group by source, ticket_key
),

tickets as (
    select
        source,
        source_key,
        date_trunc('month', opened_at at time zone '{{ var("time_zone") }}')::date as month,
        coalesce(kind, 'unknown') as kind,
        coalesce(topic, 'unknown') as topic,
        case
            when
                first_answer_at <= {{ as_of() }}
                then extract(epoch from first_answer_at - opened_at) / 3600
        end as hours_to_answer,
        case
            when solved_at <= {{ as_of() }} then extract(epoch from solved_at - opened_at) / 3600
        end as hours_to_solution,
        case when solved_at <= {{ as_of() }} then satisfaction end as satisfaction
    from {{ ref('contract_tickets') }}
    where opened_at <= {{ as_of() }}
)

select
    tickets.month,
    tickets.kind,
    tickets.topic,
    count(*) as tickets,
    count(tickets.hours_to_answer) as answered,
    (percentile_cont(0.5) within group (order by tickets.hours_to_answer))::numeric(12, 3)
        as median_hours_to_answer,
    (percentile_cont(0.9) within group (order by tickets.hours_to_answer))::numeric(12, 3)
        as p90_hours_to_answer,
    count(tickets.hours_to_solution) as solved,
    (percentile_cont(0.5) within group (order by tickets.hours_to_solution))::numeric(12, 3)
        as median_hours_to_solution,
    (percentile_cont(0.9) within group (order by tickets.hours_to_solution))::numeric(12, 3)
        as p90_hours_to_solution,
    count(*) - count(tickets.hours_to_solution) as open_tickets,
    count(tickets.satisfaction) as judged,
    avg(tickets.satisfaction)::numeric(6, 3) as mean_satisfaction,
    coalesce(sum(costs.cost), 0)::numeric(20, 4) as cost,
    '{{ var("reporting_currency") }}' as currency,
    coalesce(sum(costs.costs_left_out), 0)::bigint as costs_left_out
from tickets
left join costs
    on tickets.source = costs.source and tickets.source_key = costs.ticket_key
group by tickets.month, tickets.kind, tickets.topic
