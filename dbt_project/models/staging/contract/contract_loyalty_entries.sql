{{ contract_table('loyalty_entries') }}
