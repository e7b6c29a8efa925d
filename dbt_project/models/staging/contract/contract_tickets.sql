{{ contract_table('tickets') }}
