{{ contract_table('opportunities') }}
