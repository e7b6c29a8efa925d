{{ contract_table('orders') }}
