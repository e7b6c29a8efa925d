{#
  Staging reads raw by load. `by` is a text expression over the raw columns; in an incremental run only the
  `by` values that a newly decided load touched are read, and exactly their rows are replaced in staging.

  staged(source, table, by, replaces)  first line of a staging model; `replaces` is the model's column that equals `by`
  raw(source, table, by)               the current accepted rows: of each unit, the newest accepted delivery
#}
{% macro staged(source, table, by, replaces='source_key') -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='replace_touched',
        replaces=replaces,
        reads={'source': source, 'table': table, 'by': by},
        indexes=[{'columns': [replaces]}] + lifehouse.staged_indexes(replaces),
        pre_hook="{{ lifehouse.touch() }}",
        post_hook=lifehouse.cookie_index_hook() + ["{{ lifehouse.fresh_statistics() }}"],
    ) }}
{%- endmacro %}

{# Of interactions the cookie is looked up; not every source of them has one. #}
{% macro cookie_index_hook() -%}
    {{ return(["{{ lifehouse.cookie_index() }}"] if model.name.endswith('__interactions') else []) }}
{%- endmacro %}

{% macro cookie_index() -%}
    {%- if 'cookie' in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
        create index if not exists i{{ local_md5(this | string)[:20] }}_cookie on {{ this }} (cookie)
    {%- endif -%}
{%- endmacro %}

{% macro staged_indexes(replaces) -%}
    {%- set contract = model.name.split('__')[1:] | join('__') -%}
    {%- set indexes = [] -%}
    {#- Offers need not name a person. -#}
    {%- if contract != 'offers' and (contract, 'customer_key') in lifehouse.person_columns() -%}
        {%- do indexes.append({'columns': ['customer_key']}) -%}
    {%- elif contract == 'order_lines' and replaces != 'order_key' -%}
        {%- do indexes.append({'columns': ['order_key']}) -%}
    {%- endif -%}
    {{ return(indexes) }}
{%- endmacro %}

{# Loads whose decision the run takes in for the first time: new, accepted late, or rejected after they were built. #}
{% macro _changed_loads() -%}
    select loads.load_id
    from control.loads as loads, control.current_run as run
    where loads.change_seq > run.core_from and loads.change_seq <= run.change_to
{%- endmacro %}

{% macro _accepted_loads() -%}
    {%- if lifehouse.is_scratch() %}
    select load_id from {{ lifehouse.place('control') }}.accepted_loads
    {%- else %}
    select loads.load_id
    from control.loads as loads, control.current_run as run
    where loads.status = 'accepted' and loads.change_seq <= run.change_to
    {%- endif %}
{%- endmacro %}

{# Pre-hook of an incremental run: the touched `by` values, old versions of the touched units included.

   The loads go in as literals: only so does the planner know how little they are of raw. #}
{% macro touch() -%}
    {%- set reads = config.get('reads') -%}
    {%- if is_incremental() -%}
        {%- set table = lifehouse.raw_table(reads.source, reads.table) -%}
        {%- set unit = var('units')[reads.source ~ '.' ~ reads.table] -%}
        {%- set loads = run_query(lifehouse._changed_loads()).columns[0].values() | map('int') | list -%}
        {#- Raw belongs to another role; the function makes the index in its name, once. #}
        select control.index_raw(
            'raw_{{ reads.source }}', '{{ reads.table }}', '{{ lifehouse.by_index(reads) }}', $by${{ reads.by }}$by$
        );
        drop table if exists pg_temp.touched;
        create temporary table touched on commit drop as
        with units as (
            select distinct {{ lifehouse.quoted(unit, 'records') }}
            from {{ table }} as records
            where records._load_id in ({{ loads | join(', ') or 'null' }})
            {%- if unit == ['_file'] %}
            union
            select files.file
            from control.files as files
            where files.load_id in ({{ loads | join(', ') or 'null' }})
                and files.source = '{{ reads.source }}' and files.table_name = '{{ reads.table }}'
            {%- endif %}
        )
        select distinct {{ reads.by }} as key
        from {{ table }}
        inner join units using ({{ lifehouse.quoted(unit) }});
        analyze pg_temp.touched
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{# A released record is as old as the load it was set aside from. A unit whose newest delivery is a tombstone is gone. #}
{% macro raw(source, table, by) -%}
    {%- set relation = lifehouse.raw_table(source, table) -%}
    {%- set unit = var('units').get(source ~ '.' ~ table, []) -%}
    (
        with accepted as (
            select
                loads.load_id,
                coalesce(loads.origin_load_id, loads.load_id) as age
            from control.loads as loads
            where loads.load_id in ({{ lifehouse._accepted_loads() }})
        ),
        candidates as (
            select
                records.*,
                accepted.age as _age
            from {{ relation }} as records
            inner join accepted on records._load_id = accepted.load_id
            {%- if is_incremental() %}
            where ({{ by }}) in (select key from pg_temp.touched)
            {%- endif %}
        ),
        {%- if unit == ['_file'] %}
        newest as (
            select files.file as _file, max(files.load_id) as _age
            from control.files as files
            inner join accepted on files.load_id = accepted.load_id
            where files.source = '{{ source }}' and files.table_name = '{{ table }}'
            {%- if is_incremental() %}
                and files.file in (select _file from candidates)
            {%- endif %}
            group by files.file
        ),
        living as (
            select candidates.*
            from candidates
            inner join newest using (_file, _age)
        )
        {%- else %}
        living as (
            select distinct on ({{ lifehouse.quoted(unit) }}) *
            from candidates
            order by {{ lifehouse.quoted(unit) }}, _age desc, _load_id desc, _deleted desc
        )
        {%- endif %}
        select * from living
        where not _deleted
    )
{%- endmacro %}

{% macro raw_table(source, table) -%}
    "raw_{{ source }}"."{{ table }}"
{%- endmacro %}

{% macro by_index(reads) -%}
    {{- reads.table[:30] }}_by_{{ local_md5(reads.by)[:8] -}}
{%- endmacro %}

{% macro quoted(columns, alias=none) -%}
    {%- for column in columns -%}
        {{ alias ~ '.' if alias }}"{{ column }}"{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Replaces the touched keys' rows and notes whose they were and are. #}
{% macro get_incremental_replace_touched_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict.dest_columns | map(attribute='name')) -%}
    {%- set names = arg_dict.dest_columns | map(attribute='name') | list -%}
    {%- set replaces = config.get('replaces') -%}
    {%- for kind, owner in [('customer', 'customer_key'), ('customer', 'referred_key'), ('cookie', 'cookie'), ('order', 'order_key')] -%}
    {%- if owner in names and (kind != 'order' or 'customer_key' not in names) %}
    {{ lifehouse.note_keys(arg_dict, kind, owner, 'union') }}
    {%- if kind == 'customer' %}
    -- Who is named no more here may be gone; identity sees whether another table names them still.
    {{ lifehouse.note_keys(arg_dict, 'gone', owner, 'except') }}
    {%- endif -%}
    {%- endif -%}
    {%- endfor %}
    delete from {{ arg_dict.target_relation }}
    where {{ replaces }} in (select key from pg_temp.touched);
    insert into {{ arg_dict.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict.temp_relation }}
{%- endmacro %}

{# Notes the owners of the touched rows as they were, together with the new ones or without them. #}
{% macro note_keys(arg_dict, kind, owner, together) -%}
    insert into {{ lifehouse.place('core') }}.changed_keys (change_seq, source, kind, key)
    select run.change_to, noted.source, '{{ kind }}', noted.key
    from {{ lifehouse.place('control') }}.current_run as run,
    (
        select source, {{ owner }} as key from {{ arg_dict.target_relation }}
        where {{ config.get('replaces') }} in (select key from pg_temp.touched)
        {{ together }}
        select source, {{ owner }} as key from {{ arg_dict.temp_relation }}
    ) as noted
    where noted.key is not null;
{%- endmacro %}
