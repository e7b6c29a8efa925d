{{ contract_table('campaign_targets') }}
