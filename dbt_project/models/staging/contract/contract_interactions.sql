{{ contract_table('interactions') }}
