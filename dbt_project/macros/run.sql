{# The instant the run speaks about, timestamptz. #}
{% macro as_of() -%}
    (select as_of from control.current_run)
{%- endmacro %}
