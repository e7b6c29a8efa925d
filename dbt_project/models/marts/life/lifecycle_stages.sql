{{ population() }}

with declarations as (
    select * from {{ ref('lifecycle_declarations') }}
),

recorded as (
    select distinct
        lifecycle,
        stage
    from {{ ref('stage_intervals_recorded') }}
),

-- What is recorded but not declared: the source's words, and no order.
undeclared as (
    select
        recorded.lifecycle,
        recorded.stage,
        max(declarations.lifecycle_label_en) as label_en,
        max(declarations.lifecycle_label_zh) as label_zh
    from recorded
    left join declarations on recorded.lifecycle = declarations.lifecycle
    group by recorded.lifecycle, recorded.stage
    having coalesce(sum(case when recorded.stage = declarations.stage then 1 end), 0) = 0
),

words as (
    select
        *,
        coalesce(nullif(replace(substring(lifecycle, 10), '_', ' '), ''), 'stages') as pipeline
    from undeclared
)

select
    lifecycle,
    lifecycle_label_en,
    lifecycle_label_zh,
    stage,
    stage_order,
    label_en,
    label_zh,
    definition,
    rule,
    onward,
    kpi,
    kpi_formula,
    kpi_unit,
    plays,
    is_recorded
from declarations

union all

select
    lifecycle,
    coalesce(label_en, pipeline || ' (recorded)'),
    coalesce(label_zh, pipeline || '（来源记录）'),
    stage,
    null,
    stage as label_en,
    stage as label_zh,
    null,
    null,
    '' as onward,
    null,
    null,
    null,
    null,
    true
from words
