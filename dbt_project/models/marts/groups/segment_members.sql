{{ as_of_model(indexes=[{'columns': ['segment']}, {'columns': ['customer_id']}]) }}

with segment_value as (
    select * from {{ ref('segment_value') }}
),

segment_lifecycle as (
    select * from {{ ref('segment_lifecycle') }}
)

select
    segment,
    customer_id,
    'value' as family,
    since
from segment_value

union all

select
    segment,
    customer_id,
    'lifecycle' as family,
    since
from segment_lifecycle
