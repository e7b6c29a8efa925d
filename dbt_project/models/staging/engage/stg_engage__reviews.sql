{{ staged('engage', 'reviews', by="review_id::text") }}

with reviews as (
    select * from {{ raw('engage', 'reviews', by="review_id::text") }}
)

select
    'engage' as source,
    review_id::text as source_key,
    _loaded_at,
    member_id::text as customer_key,
    product_id::text as product_key,
    place as channel,
    stars::numeric as rating,
    comment,
    reviewed_at
from reviews
