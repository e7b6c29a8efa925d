{# Of the sorted instants in `thresholds.told`, the number of the first at or after the moment. #}
{% macro nth_instant(moment) -%}
    width_bucket({{ moment }} - interval '1 microsecond', thresholds.told) + 1
{%- endmacro %}

{# A stage's KPI as columns: its number, what it counts, what it was divided by, and what could not be added up. #}
{% macro kpi_columns(declared, figures) -%}
    case
        when {{ declared }}.kpi_unit is not null
            then ({{ figures }}.kpi_part / nullif({{ figures }}.kpi_base, 0))::numeric(20, 6)
    end as kpi_value,
    {{ declared }}.kpi_unit,
    case when {{ declared }}.kpi_unit = 'money per customer' then '{{ var("reporting_currency") }}' end
        as kpi_currency,
    case when {{ declared }}.kpi_unit is not null then {{ figures }}.kpi_base end::numeric(20, 4)
        as kpi_base,
    case when {{ declared }}.kpi_unit is not null then {{ figures }}.kpi_left_out end as kpi_left_out
{%- endmacro %}
