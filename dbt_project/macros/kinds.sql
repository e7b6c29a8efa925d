{#
  The three kinds of models.

  per_customer()    free of as-of; replaces exactly the rows of the customers that changed
  population()      set-based, refilled whole each release
  as_of_model()     depends on the run's instant, refilled whole each release

  Tables are refilled by delete and insert, never dropped under a reader.
#}
{% macro per_customer(indexes=[]) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='replace_customers',
        indexes=lifehouse.indexes([{'columns': ['customer_id']}] + indexes),
        meta={'kind': 'per customer'},
        tags=['per_customer'],
        post_hook="analyze {{ this }}",
    ) }}
{%- endmacro %}

{% macro population(indexes=[]) -%}
    {{ lifehouse.refilled('population', indexes) }}
{%- endmacro %}

{% macro as_of_model(indexes=[]) -%}
    {{ lifehouse.refilled('as-of', indexes) }}
{%- endmacro %}

{% macro refilled(kind, indexes) -%}
    {{ config(
        materialized='incremental', incremental_strategy='refill', indexes=lifehouse.indexes(indexes),
        meta={'kind': kind}, post_hook="analyze {{ this }}",
    ) }}
{%- endmacro %}

{# Core exists once and has its own watermark; a slot is a release behind and has its own. #}
{% macro changed_customers() -%}
    select run_customers.customer_id
    from {{ lifehouse.place('control') }}.run_customers as run_customers
    where run_customers.scope = '{{ "core" if model.config.schema == "core" else "slot" }}'
{%- endmacro %}

{# A condition that keeps the changed customers of `alias`; true when everything is built. #}
{% macro changed(alias) -%}
    {%- if is_incremental() -%}
        {{ alias }}.customer_id in ({{ lifehouse.changed_customers() }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro get_incremental_replace_customers_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) -%}
    delete from {{ arg_dict.target_relation }}
    where customer_id in ({{ lifehouse.changed_customers() }});
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{%- endmacro %}

{% macro get_incremental_refill_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) -%}
    delete from {{ arg_dict.target_relation }};
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{%- endmacro %}
