{{ contract_table('consents') }}
