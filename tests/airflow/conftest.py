"""A metadata database for each test that starts Airflow, and the real DAG folder read by a real Airflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from conftest import Databases


@pytest.fixture
def airflow_database(databases: Databases) -> Iterator[Callable[[], str]]:
    """Makes empty databases for Airflow on the session's server; returns SQLAlchemy addresses."""
    made: list[str] = []

    def make() -> str:
        made.append(databases.create(template=None))
        return re.sub("^postgresql:", "postgresql+psycopg:", made[-1])

    yield make
    for url in made:
        databases.drop(url)
