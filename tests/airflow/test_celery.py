"""The server topology as plain processes: Redis, two Celery workers, scheduler, dag-processor, API."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifehouse.context import Context
from lifehouse.orchestration.settings import Settings
from lifehouse.orchestration.standalone import PARTS, Standalone

DAGS = Path(__file__).parent / "celery_dags"
WORKERS = ("one", "two")


@dataclass
class Redis:
    """Debian's server on loopback, with a password that stands in a private file."""

    url: str


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(16)
    settings = tmp_path / "redis.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {tmp_path}\n'
    )
    with (tmp_path / "redis.log").open("wb") as log:
        process = subprocess.Popen([program, str(settings)], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Redis(f"redis://:{password}@127.0.0.1:{port}/0")
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def standalone(ctx: Context, redis: Redis, airflow_database: Callable[[], str]) -> Iterator[Standalone]:
    database = airflow_database()
    settings = Settings(
        ctx,
        extra={
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
            "AIRFLOW__CELERY__BROKER_URL": redis.url,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
        },
        executor="CeleryExecutor",
        dags_folder=DAGS,
        sections={
            "celery": {"worker_concurrency": 2, "sync_parallelism": 1, "worker_prefetch_multiplier": 1}
        },
    )
    workers = {
        f"worker-{name}": (
            *("celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs"),
            *("--pid", str(settings.folder / f"celery-{name}.id"), "--without-mingle", "--without-gossip"),
        )
        for name in WORKERS
    }
    standalone = Standalone(settings, {**PARTS, **workers})
    yield standalone
    standalone.stop()


@pytest.mark.slow
def test_two_celery_workers_share_a_dag(standalone: Standalone) -> None:
    client = standalone.start()
    client.await_dags(["fan"], datetime.min.replace(tzinfo=UTC))
    (run,) = client.wait([client.trigger("fan")], patience=120)
    assert run.state == "success", client.reason(run)
    assert {task.state for task in client.tasks(run)} == {"success"}
    assert len(client.tasks(run)) == 9
    for name in WORKERS:
        log = (standalone.settings.folder / f"worker-{name}.log").read_text()
        assert re.search(r"execute_workload\[\S+\] succeeded", log), f"worker {name} did nothing"
