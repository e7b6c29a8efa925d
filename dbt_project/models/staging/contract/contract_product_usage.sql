{{ contract_table('product_usage') }}
