{# Identifiers in one shape; what does not normalise becomes null and is not matched on. #}
{% macro normal_email(column) -%}
    case when lower(trim({{ column }})) like '%_@_%._%' then lower(trim({{ column }})) end
{%- endmacro %}

{# Digits only, the country code kept where it is written; fewer than 7 digits are no phone number. #}
{% macro normal_phone(column) -%}
    case
        when length(regexp_replace({{ column }}, '[^0-9]', '', 'g')) >= 7
            then right(regexp_replace({{ column }}, '[^0-9]', '', 'g'), 10)
    end
{%- endmacro %}

{% macro normal_card(column) -%}
    nullif(upper(regexp_replace({{ column }}, '[^0-9A-Za-z]', '', 'g')), '')
{%- endmacro %}
