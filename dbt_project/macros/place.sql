{#
  Where a build stands. The nightly one has staging, contract, core and control to itself; a scratch build (target
  scratch_<name>) has schemas of its own beside them, reads the loads that are set down there, and may know only what
  had happened until an instant, its horizon.
#}
{% macro is_scratch() -%}
    {{ return(target.name.startswith('scratch_')) }}
{%- endmacro %}

{% macro place(schema) -%}
    {{ target.name ~ '__' ~ schema if lifehouse.is_scratch() else schema }}
{%- endmacro %}

{% macro horizon() -%}
    (select coalesce(horizon, 'infinity') from {{ lifehouse.place('control') }}.current_run)
{%- endmacro %}

{# Of the contract's rows those that tell what had happened by then; a row that names no time is always known. #}
{% macro known_by_then(known) -%}
    {%- set happened_at = model.config.get('meta', {}).get('happened_at') -%}
    {%- if lifehouse.is_scratch() and happened_at in known %}
    where {{ happened_at }} is null or {{ happened_at }}::timestamptz <= {{ lifehouse.horizon() }}
    {%- endif -%}
{%- endmacro %}

{# A column of the contract; a time that had not come by then is not known yet. #}
{% macro known_column(name) -%}
    {%- if lifehouse.is_scratch() and name in model.config.get('meta', {}).get('later', []) -%}
        case when {{ name }}::timestamptz <= {{ lifehouse.horizon() }} then {{ name }} end
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}
