{{ contract_table('survey_answers') }}
