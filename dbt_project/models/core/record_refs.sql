{{ config(materialized='view') }}

{% set tables = [
    'profiles', 'consents', 'orders', 'campaign_targets', 'offer_redemptions', 'stage_changes',
    'tickets', 'survey_answers', 'interactions', 'messages',
] %}

{% for table in tables %}
select
    source,
    customer_key
from {{ ref('contract_' ~ table) }}
where customer_key is not null
{{ 'union' if not loop.last }}
{% endfor %}
