{#
  Survivorship: of a field the value that is not empty, of the source that comes first (`identity:` in lifehouse.yml,
  for the field or for all), then the newest, ties by source and key.
#}
{% macro survivor(field, value) -%}
    (
        array_agg({{ value }} order by {{ lifehouse.first_come(field) }})
        filter (where {{ field }} is not null and trim(both ' ' from {{ field }}) <> '')
    )[1]
{%- endmacro %}

{% macro first_come(field) -%}
    {%- set sources = var('field_priority', {}).get(field, var('priority', [])) -%}
    {%- if sources -%}
        case source{% for source in sources %} when '{{ source }}' then {{ loop.index0 }}{% endfor %} else {{ sources | length }} end,{{ ' ' }}
    {%- endif -%}
    updated_at desc nulls last, source, source_key
{%- endmacro %}

{# The fields of a profile that survive one by one. #}
{% macro profile_fields() -%}
    {{ return([
        'kind', 'full_name', 'first_name', 'last_name', 'email', 'phone', 'loyalty_card',
        'age_band', 'income_band', 'household_size', 'marital_status', 'company_name', 'industry',
        'city', 'region', 'postal_code', 'country', 'acquisition_channel', 'belongs_to',
    ]) }}
{%- endmacro %}
