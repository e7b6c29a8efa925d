{{ contract_table('offer_redemptions') }}
