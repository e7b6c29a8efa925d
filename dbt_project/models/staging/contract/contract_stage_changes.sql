{{ contract_table('stage_changes') }}
