"""What runs when: the DAGs' thin layer, Airflow supervised on one machine, and a client of its REST API."""
