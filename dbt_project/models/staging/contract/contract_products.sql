{{ contract_table('products') }}
