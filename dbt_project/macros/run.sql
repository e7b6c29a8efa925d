{# The instant the run speaks about, timestamptz. #}
{% macro as_of() -%}
    (select as_of from {{ lifehouse.place('control') }}.current_run)
{%- endmacro %}
