{{ contract_table('market_indicators') }}
