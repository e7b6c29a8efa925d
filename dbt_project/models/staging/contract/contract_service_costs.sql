{{ contract_table('service_costs') }}
