{{ contract_table('follow_ups') }}
