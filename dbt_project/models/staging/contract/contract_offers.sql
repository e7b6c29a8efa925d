{{ contract_table('offers') }}
