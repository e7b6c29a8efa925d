{{ contract_table('campaigns') }}
