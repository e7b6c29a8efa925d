{{ contract_table('survey_invitations') }}
