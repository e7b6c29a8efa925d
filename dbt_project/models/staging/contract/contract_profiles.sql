{{ contract_table('profiles') }}
