{{ per_customer() }}

with profiles as (
    select * from {{ ref('customer_profiles') }}
)

select
    profiles.customer_id,
    fields.field,
    split_part(fields.given_by, ':', 1) as source,
    substr(fields.given_by, strpos(fields.given_by, ':') + 1) as customer_key
from profiles
cross join
    lateral (
        values
        {% for field in profile_fields() %}
        ('{{ field }}', profiles.{{ field }}_from){{ ',' if not loop.last }}
        {% endfor %}
    ) as fields (field, given_by)
where fields.given_by is not null and {{ changed('profiles') }}
