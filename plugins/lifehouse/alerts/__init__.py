"""Alerts: one a run and channel, with the reason and a link; kept in the warehouse, sent through Airflow's notifiers.

A station's task **notes** what became of it (:mod:`lifehouse.alerts.ledger`, one transaction, no network) before Airflow
knows of its end; the task's callback **sends** what waits. Nothing here knows Airflow.
"""
