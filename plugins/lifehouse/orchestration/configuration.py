"""What ``airflow.cfg`` says: loopback, no telemetry, no examples, and what makes a task start quickly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lifehouse.project import INSTALLATION

if TYPE_CHECKING:
    from lifehouse.orchestration.settings import Settings

#: Entries that hold secrets: they go to the processes in their environment and are in no file.
SECRETS = frozenset(
    {
        ("core", "fernet_key"),
        ("database", "sql_alchemy_conn"),
        ("database", "sql_alchemy_conn_async"),
        ("api", "secret_key"),
        ("api_auth", "jwt_secret"),
        ("celery", "broker_url"),
        ("celery", "result_backend"),
    }
)
LOOPBACK = "127.0.0.1"
_PARALLELISM = 4


def sections(settings: Settings, known: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Section, key and value of everything that differs from Airflow's defaults; ``known`` has the home's secrets."""
    made: dict[str, dict[str, object]] = {
        "core": {
            "executor": settings.executor,
            "parallelism": _PARALLELISM,
            "dags_folder": settings.dags_folder,
            "plugins_folder": INSTALLATION / "plugins",
            "load_examples": False,
            "dags_are_paused_at_creation": False,
            "default_timezone": "utc",
            "fernet_key": known["fernet"],
            "auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "simple_auth_manager_users": f"{settings.user}:admin",
            "simple_auth_manager_passwords_file": settings.password_file,
        },
        "database": {
            "sql_alchemy_conn": settings.metadata_url,
            "sql_alchemy_conn_async": settings.metadata_url,
        },
        "api": {
            "host": LOOPBACK,
            "port": settings.port,
            "base_url": settings.url,
            "workers": 1,
            "secret_key": known["session"],
            "expose_config": False,
        },
        "api_auth": {"jwt_secret": known["jwt"]},
        "scheduler": {
            "scheduler_idle_sleep_time": 0.2,
            "catchup_by_default": False,
            "create_cron_data_intervals": False,
        },
        "dag_processor": {
            "parsing_processes": 2,
            "refresh_interval": 30,
            "min_file_process_interval": 30,
        },
        "logging": {"base_log_folder": settings.folder / "logs", "uvicorn_logging_level": "WARNING"},
        # The supervisor of a task notices its end only at its next heartbeat: at 5 s a worker would idle that long.
        "workers": {"min_heartbeat_interval": 1},
        "usage_data_collection": {"enabled": False},
        "metrics": {"statsd_on": False, "otel_on": False},
    }
    for section, entries in settings.sections.items():
        made.setdefault(section, {}).update(entries)
    return made
