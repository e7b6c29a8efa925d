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
        post_hook="{{ lifehouse.fresh_statistics() }}",
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

{#
  Statistics of a table of which the changed customers' rows were replaced: taken anew where there are none, where one in
  twenty customers changed, or where the nights since the last time have changed a tenth. To read a sample of the whole
  table after every night would cost more than most nights' work.
#}
{% macro fresh_statistics() -%}
    {{ return(adapter.dispatch('fresh_statistics', 'lifehouse')()) }}
{%- endmacro %}

{% macro default__fresh_statistics() -%}
    {%- if lifehouse.is_scratch() -%}
    analyze {{ this }}
    {%- else -%}
    do $$
    begin
        if not exists (
            select from pg_stat_all_tables as statistics
            inner join pg_class as records on records.oid = '{{ lifehouse.place("core") }}.customer_refs'::regclass
            where statistics.relid = '{{ this.schema }}.{{ this.identifier }}'::regclass
                and statistics.last_analyze is not null
                and statistics.n_mod_since_analyze <= statistics.n_live_tup / 10
                and 20 * (select count(*) from ({{ lifehouse.changed_customers() }}) as changed) <= records.reltuples
        ) then
            execute 'analyze {{ this.schema }}.{{ this.identifier }}';
        end if;
    end
    $$
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__fresh_statistics() -%}
    analyze {{ this }}
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
