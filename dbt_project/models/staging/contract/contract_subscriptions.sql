{{ contract_table('subscriptions') }}
