{{ staged('engage', 'market', by="figure_id::text") }}

with market as (
    select * from {{ raw('engage', 'market', by="figure_id::text") }}
)

select
    'engage' as source,
    figure_id::text as source_key,
    _loaded_at,
    indicator,
    market,
    competitor,
    category,
    value,
    unit,
    measured_at
from market
