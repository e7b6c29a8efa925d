-- Airflow's own database beside the warehouse.
create database airflow;
