{{ staged('crm', 'contacts', by="contact_id::text") }}

with contacts as (
    select * from {{ raw('crm', 'contacts', by="contact_id::text") }}
)

select
    'crm' as source,
    contact_id::text as source_key,
    _loaded_at,
    contact_id::text as customer_key,
    'person' as kind,
    nullif(trim(concat_ws(' ', first_name, last_name)), '') as full_name,
    nullif(trim(first_name), '') as first_name,
    nullif(trim(last_name), '') as last_name,
    nullif(trim(email), '') as email,
    nullif(trim(phone), '') as phone,
    nullif(trim(loyalty_card), '') as loyalty_card,
    city,
    region,
    postal_code,
    country,
    acquisition_channel,
    created_at,
    updated_at
from contacts
