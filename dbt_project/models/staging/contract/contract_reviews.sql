{{ contract_table('reviews') }}
