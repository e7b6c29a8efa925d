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
  Statistics of a table of which some rows were replaced: taken anew where there are none, or where a tenth of the rows
  changed since. To read a sample of the whole table after every night would cost more than most nights' work.
  What filled the table came before its first statistics, though the server counts it when the transaction ends: of all
  changes that it ever saw, at least as many as it had rows are older. Those of this transaction are counted apart.
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
            select from pg_class as known
            where known.oid = '{{ this.schema }}.{{ this.identifier }}'::regclass
                and pg_stat_get_last_analyze_time(known.oid) is not null
                and 10 * (
                    least(
                        pg_stat_get_mod_since_analyze(known.oid),
                        {{ lifehouse.rows_changed('pg_stat_get_tuples') }} - known.reltuples
                    ) + {{ lifehouse.rows_changed('pg_stat_get_xact_tuples') }}
                ) <= known.reltuples
        ) then
            execute 'analyze {{ this.schema }}.{{ this.identifier }}';
        end if;
    end
    $$
    {%- endif -%}
{%- endmacro %}

{% macro rows_changed(counted) -%}
    {{ counted }}_inserted(known.oid) + {{ counted }}_updated(known.oid) + {{ counted }}_deleted(known.oid)
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

{#
  Rows of the changed customers that would come back as they are stay where they are: mostly all but a few, and what is
  not written costs no log, no dead row and no index entry. Alike means to the byte; a hash finds the pairs, and of
  several that are alike each has a number.
#}
{% macro get_incremental_replace_customers_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) -%}
    {%- set alike = 'held.hash = fresh.hash and held.number = fresh.number and held.told *= fresh.told' -%}
    drop table if exists pg_temp.other;
    create temporary table other on commit drop as
    with held as materialized (
        {{ lifehouse.numbered(arg_dict.target_relation, columns) }}
        where customer_id in ({{ lifehouse.changed_customers() }})
        offset 0) as rows
    ),
    fresh as materialized (
        {{ lifehouse.numbered(arg_dict.temp_relation, columns) }}
        offset 0) as rows
    )
    select held.place as gone, null::tid as come from held where not exists (select from fresh where {{ alike }})
    union all
    select null, fresh.place from fresh where not exists (select from held where {{ alike }});
    delete from {{ arg_dict.target_relation }}
    where ctid = any(array(select gone from pg_temp.other where gone is not null));
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
    where ctid = any(array(select come from pg_temp.other where come is not null))
{%- endmacro %}

{# The rows of a relation, open at their end for a condition: each is hashed once, which `offset 0` sees to. #}
{% macro numbered(relation, columns) -%}
    select *, row_number() over (partition by hash) as number
    from (
        select ctid as place, row({{ columns }}) as told, hash_record_extended(row({{ columns }}), 0) as hash
        from {{ relation }}
{%- endmacro %}

{% macro get_incremental_refill_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) -%}
    delete from {{ arg_dict.target_relation }};
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{%- endmacro %}
