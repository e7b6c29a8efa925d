"""A tiny company after one night under roles, and people who log in to read."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lifehouse.home import Home
from lifehouse.warehouse.server import EmbeddedServer
from support.databases import Databases
from support.founding import Login, found
from support.tiny import Company


@pytest.fixture(scope="session")
def company(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One night, run once for all tests here."""
    url = databases.create()
    before = os.environ.get("TINY_FOLDER")
    made = found(tmp_path_factory.mktemp("roles"), url)
    assert made.night("2024-01-06").status == "published"
    yield made
    os.environ.pop("TINY_FOLDER") if before is None else os.environ.update(TINY_FOLDER=before)
    databases.drop(url)


@pytest.fixture
def login(server: EmbeddedServer) -> Iterator[Login]:
    """Makes people with a password of their own, and logs them in over TCP."""
    made: list[str] = []

    def make(company: Company, *roles: str) -> psycopg.Connection[Any]:
        name = f"reader_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(
                f"create role {name} login password 'reads' in role {', '.join(roles)}".encode()
            )
        made.append(name)
        place = company.ctx.warehouse.parameters
        return psycopg.connect(
            **{**place, "user": name, "password": "reads"}, autocommit=True, application_name="a dashboard"
        )

    yield make
    with psycopg.connect(server.url, autocommit=True) as connection:
        for name in made:
            connection.execute(f"drop role {name}".encode())


@pytest.fixture(scope="module")
def fresh_server() -> Iterator[EmbeddedServer]:
    """A server of its own, on which no role was ever made."""
    server = EmbeddedServer(Home(Path(tempfile.mkdtemp(prefix="lifehouse-roles-"))))
    server.start()
    yield server
    server.remove()
    shutil.rmtree(server.home.path)
