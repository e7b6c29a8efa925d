{{ staged('shop', 'customers', by="customer_id::text") }}

with customers as (
    select * from {{ raw('shop', 'customers', by="customer_id::text") }}
)

select
    'shop' as source,
    customer_id::text as source_key,
    _loaded_at,
    customer_id::text as customer_key,
    'person' as kind,
    first_name || ' ' || last_name as full_name,
    first_name,
    last_name,
    email,
    phone,
    loyalty_card,
    age_band,
    income_band,
    household_size,
    marital_status,
    city,
    region,
    postal_code,
    country,
    acquisition_channel,
    created_at,
    updated_at
from customers
