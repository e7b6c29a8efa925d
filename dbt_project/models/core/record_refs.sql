{{ config(materialized='view') }}

{{ record_keys() }}
