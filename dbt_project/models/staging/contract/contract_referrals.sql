{{ contract_table('referrals') }}
