{#
  One table of the input contract: the union of `stg_<source>__<table>` of every source that has one, with the
  columns and types of the model's YAML. What a source does not know is null; no source at all is an empty table.
#}
{% macro contract_table(table) -%}
    {{ config(alias=table) }}
    {%- set sources = var('inputs').get(table, []) -%}
    {%- set relations = [] -%}
    {%- for source in sources -%}
        {%- do relations.append(ref('stg_' ~ source ~ '__' ~ table)) -%}
    {%- endfor -%}
    {%- if execute -%}
    {%- for relation in relations %}
    {%- set known = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
    select
        {%- for name, column in model.columns.items() %}
        {{ lifehouse.known_column(name) if name in known else 'null' }}::{{ column.data_type }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {{ lifehouse.known_by_then(known) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {%- if not relations %}
    select
        {%- for name, column in model.columns.items() %}
        null::{{ column.data_type }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- endif %}
    {%- endif -%}
{%- endmacro %}
