"""The only modules of Lifehouse that know Airflow: policy, declarations and tasks for the files in ``dags/``."""
