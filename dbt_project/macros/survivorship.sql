{#
  Survivorship: of a field the value that is not empty, of the source that comes first (`identity:` in lifehouse.yml,
  for the field or for all), then the newest, ties by source and key.
#}
{% macro survivor(field, value) -%}
    {{ adapter.dispatch('survivor', 'lifehouse')(field, value) }}
{%- endmacro %}

{% macro default__survivor(field, value) -%}
    (
        array_agg({{ value }} order by {{ lifehouse.first_come(field) }})
        filter (where {{ lifehouse.is_told(field) }})
    )[1]
{%- endmacro %}

{# DuckDB sorts each list by itself; the least of them it finds in passing. #}
{% macro duckdb__survivor(field, value) -%}
    arg_min(
        {{ value }},
        row({{ lifehouse.source_rank(field) }}updated_at is null, -epoch_us(coalesce(updated_at, timestamptz 'epoch')), source, source_key)
    ) filter (where {{ lifehouse.is_told(field) }})
{%- endmacro %}

{% macro is_told(field) -%}
    {{ field }} is not null and trim(both ' ' from {{ field }}) <> ''
{%- endmacro %}

{% macro first_come(field) -%}
    {{ lifehouse.source_rank(field) }}updated_at desc nulls last, source, source_key
{%- endmacro %}

{% macro source_rank(field) -%}
    {%- set sources = var('field_priority', {}).get(field, var('priority', [])) -%}
    {%- if sources -%}
        case source{% for source in sources %} when '{{ source }}' then {{ loop.index0 }}{% endfor %} else {{ sources | length }} end,{{ ' ' }}
    {%- endif -%}
{%- endmacro %}

{# The fields of a profile that survive one by one. #}
{% macro profile_fields() -%}
    {{ return([
        'kind', 'full_name', 'first_name', 'last_name', 'email', 'phone', 'loyalty_card',
        'age_band', 'income_band', 'household_size', 'marital_status', 'company_name', 'industry',
        'city', 'region', 'postal_code', 'country', 'acquisition_channel', 'belongs_to',
    ]) }}
{%- endmacro %}
