{# Models with a schema of their own (staging, contract, core) exist once; all others live in the target's slot. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ lifehouse.place(custom_schema_name | trim) if custom_schema_name else target.schema }}
{%- endmacro %}
