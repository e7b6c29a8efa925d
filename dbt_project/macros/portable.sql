{#
  Where engines differ, one small macro each. The models of core and of the lifecycles are built by Postgres and by
  DuckDB (docs/portability.md); most of what they need is one text that both read alike, so there is little here.

  indexes(wanted)          the indexes of a table; DuckDB scans columns and would only keep them up to date
  survivor(field, value)   of a profile's field what survives (survivorship.sql)
#}
{% macro indexes(wanted) -%}
    {{ return(adapter.dispatch('indexes', 'lifehouse')(wanted)) }}
{%- endmacro %}

{% macro default__indexes(wanted) -%}
    {{ return(wanted) }}
{%- endmacro %}

{% macro duckdb__indexes(wanted) -%}
    {{ return([]) }}
{%- endmacro %}
