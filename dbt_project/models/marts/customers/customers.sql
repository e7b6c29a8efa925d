{{ as_of_model(indexes=[{'columns': ['customer_id']}]) }}

{#- What is taken from the profile as it is, and the channels that one may consent to. -#}
{% set fields = ['kind', 'full_name', 'first_name', 'last_name', 'email', 'phone', 'loyalty_card',
    'age_band', 'income_band', 'household_size', 'marital_status', 'company_name', 'industry', 'city',
    'region', 'postal_code', 'country'] %}
{% set channels = ['email', 'sms', 'phone', 'post', 'ads'] %}

with refs as (
    select distinct customer_id from {{ source('registry', 'customer_refs') }}
),

group_refs as (
    select
        customer_id,
        source || ':' || customer_key as record
    from {{ source('registry', 'customer_refs') }}
),

profiles as (
    select * from {{ ref('customer_profiles') }}
),

stage_history as (
    select * from {{ ref('stage_history') }}
),

current_stages as (
    select * from {{ ref('current_stages') }}
),

purchases as (
    select * from {{ ref('customer_purchases') }}
),

customer_value as (
    select * from {{ ref('customer_value') }}
),

consents as (
    select * from {{ ref('consents') }}
),

acquisition_channels as (
    select * from {{ ref('acquisition_channels') }}
),

spellings as (
    select
        channel,
        unnest(string_to_array(spellings, '|') || channel) as spelling
    from acquisition_channels
),

first_seen as (
    select
        customer_id,
        min(entered_at) as first_seen_at
    from stage_history
    group by customer_id
),

belongings as (
    -- One level: people belong to an account or a household, which belongs to nobody.
    select
        profiles.customer_id,
        groups.customer_id as belongs_to_customer_id
    from profiles
    inner join group_refs on profiles.belongs_to = group_refs.record
    inner join profiles as groups on group_refs.customer_id = groups.customer_id
    where coalesce(profiles.kind, 'person') = 'person' and groups.kind in ('account', 'household')
),

consented as (
    select
        {% for channel in channels %}
        bool_or(is_granted) filter (where channel = '{{ channel }}') as {{ channel }},
        {% endfor %}
        customer_id
    from consents
    where purpose = 'marketing'
    group by customer_id
)

select
    refs.customer_id,
    {% for field in fields %}
    profiles.{{ field }},
    {% endfor %}
    case
        when profiles.acquisition_channel is not null then coalesce(spellings.channel, 'other')
    end as acquisition_channel,
    first_seen.first_seen_at,
    purchases.first_order_at,
    purchases.last_order_at,
    coalesce(purchases.orders, 0) as orders,
    coalesce(purchases.net_revenue, 0) as net_revenue,
    '{{ var("reporting_currency") }}' as currency,
    coalesce(purchases.orders_left_out, 0) as orders_left_out,
    status.stage as status_stage,
    status.entered_at as status_since,
    crm.stage as crm_stage,
    crm.entered_at as crm_since,
    {% for channel in channels %}
    coalesce(consented.{{ channel }}, false) as consent_{{ channel }},
    {% endfor %}
    customer_value.rfm_segment as value_segment,
    belongings.belongs_to_customer_id
from refs
left join profiles on refs.customer_id = profiles.customer_id
left join belongings on refs.customer_id = belongings.customer_id
left join spellings on lower(trim(profiles.acquisition_channel)) = spellings.spelling
left join first_seen on refs.customer_id = first_seen.customer_id
left join purchases on refs.customer_id = purchases.customer_id
left join customer_value on refs.customer_id = customer_value.customer_id
left join consented on refs.customer_id = consented.customer_id
left join current_stages as status
    on refs.customer_id = status.customer_id and status.lifecycle = 'status'
left join current_stages as crm
    on refs.customer_id = crm.customer_id and crm.lifecycle = 'crm'
