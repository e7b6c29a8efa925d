{{ contract_table('order_lines') }}
