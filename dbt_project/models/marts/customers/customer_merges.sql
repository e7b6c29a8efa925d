{{ population() }}

with recursive refs as (
    select distinct customer_id from {{ source('registry', 'customer_refs') }}
),

retirements as (
    select distinct on (retired_id)
        retired_id,
        customer_id,
        cause,
        as_of as merged_as_of
    from {{ source('registry', 'customer_merges') }}
    order by retired_id asc, run_id desc
),

followed as (
    -- Who took in a customer may have been taken in later; a hundred steps bound a circle.
    select
        *,
        1 as steps
    from retirements

    union all

    select
        followed.retired_id,
        retirements.customer_id,
        followed.cause,
        followed.merged_as_of,
        followed.steps + 1 as steps
    from followed
    inner join retirements on followed.customer_id = retirements.retired_id
    where followed.steps < 100
)

select distinct on (followed.retired_id)
    followed.retired_id,
    followed.customer_id,
    followed.cause,
    followed.merged_as_of
from followed
left join refs on followed.retired_id = refs.customer_id
where refs.customer_id is null
order by followed.retired_id asc, followed.steps desc
