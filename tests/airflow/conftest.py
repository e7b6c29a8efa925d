"""A metadata database for each test that starts Airflow, and the real DAG folder read by a real Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.orchestration.settings import Settings
from lifehouse.project import INSTALLATION, Project
from support.databases import Databases

#: Tests that import Airflow itself would have it write into the person's own home.
_AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ.setdefault("AIRFLOW_HOME", _AIRFLOW_HOME.name)

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/none"  # reading DAGs needs no database


@pytest.fixture
def airflow_database(databases: Databases, migrated: str) -> Iterator[Callable[[], str]]:
    """Makes databases for Airflow on the session's server, as a first start leaves them; returns SQLAlchemy addresses."""
    made: list[str] = []

    def make() -> str:
        made.append(databases.create(template=migrated))
        return re.sub("^postgresql:", "postgresql+psycopg:", made[-1])

    yield make
    for url in made:
        databases.drop(url)


@pytest.fixture(scope="session")
def read_dags(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Reads the DAG folder for a project in a process of its own; returns dags, errors and heavy imports."""

    def read(project_root: Path = INSTALLATION, **environment: str) -> dict[str, Any]:
        ctx = Context(Home(tmp_path_factory.mktemp("airflow")), Project(project_root))
        settings = Settings(ctx, {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": NOWHERE, **environment})
        settings.write()
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("read_dags.py"))],
            env=settings.environment(),
            cwd=settings.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(json.loads(done.stdout[done.stdout.index('{"dags"') :]))

    return read


@pytest.fixture(scope="session")
def demo_dags(read_dags: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The demo company's DAGs."""
    return read_dags()
