{{ contract_table('messages') }}
