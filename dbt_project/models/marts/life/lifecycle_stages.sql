{{ population() }}

with declarations as (
    select * from {{ ref('lifecycle_declarations') }}
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
    kpi,
    kpi_formula,
    plays
from declarations
