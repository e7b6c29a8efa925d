{{ as_of_model() }}

with customer_value as (
    select * from {{ ref('customer_value') }}
)

select
    'value_' || rfm_segment as segment,
    customer_id,
    null::timestamptz as since
from customer_value
