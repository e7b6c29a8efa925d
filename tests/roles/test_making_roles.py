"""Roles are made where that is possible, once, whoever comes first; where it is not, the house works without."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lifehouse import doctor, stations
from lifehouse.doctor import roles as examined
from lifehouse.warehouse import control, rights, roles
from lifehouse.warehouse.catalog import Catalog
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer
from support.databases import Databases
from support.founding import found


def test_many_databases_of_one_server_make_the_roles_at_once(fresh_server: EmbeddedServer) -> None:
    made = Databases(fresh_server)
    urls = [made.create(template=None) for _ in range(5)]

    def begin(url: str) -> bool:
        with psycopg.connect(url) as connection:
            control.migrate(connection)
        return Warehouse(url).has_roles

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(begin, urls * 2))
    for url in urls:
        with psycopg.connect(url) as connection:
            assert roles.audit(Catalog.read(connection)) == []


@pytest.fixture
def modest(server: EmbeddedServer) -> Iterator[str]:
    """The URL of a database whose owner may log in, and no more."""
    name = f"modest_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create role {name} login password 'modest'".encode())
        connection.execute(f"create database {name} owner {name}".encode())
    yield (
        server.url_of(name)
        .replace("//lifehouse:", f"//{name}:")
        .replace(server.url.split(":")[2].split("@")[0], "modest")
    )
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())
        connection.execute(f"drop role {name}".encode())


def test_without_the_right_to_make_roles_a_night_runs_and_the_doctor_says_what_to_run(
    modest: str, databases: Databases, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINY_FOLDER", "")
    Warehouse(databases.create()).has_roles  # noqa: B018  the roles are there, but not for that user
    with psycopg.connect(modest) as connection:
        control.migrate(connection)
    company = found(tmp_path, modest)
    assert not company.ctx.warehouse.has_roles
    assert company.night("2024-01-06").status == "published"
    (finding,) = examined.access(company.ctx)
    assert finding.verdict is doctor.Verdict.MIND
    assert "the stations act as modest_" in finding.found
    script = finding.what_to_do.split("once:\n")[1]
    assert examined.mend(company.ctx)[1:] == script.splitlines()

    # Somebody runs it: from then on the roles are separate, and what the nights before made changes hands.
    with psycopg.connect(databases.server.url, autocommit=True) as connection:
        connection.execute(script.encode())
    vars(company.ctx)["warehouse"] = Warehouse(modest)
    assert company.night("2024-01-07").status == "published"
    assert company.ctx.warehouse.has_roles
    with company.ctx.warehouse.connect() as connection:
        assert roles.audit(Catalog.read(connection)) == []
    assert company.rows("select distinct tableowner::text from pg_tables where schemaname = 'raw_tiny'") == [
        (rights.INGEST,)
    ]


def test_a_user_who_may_create_roles_is_enough(
    fresh_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedServer(fresh_server.home)
    with psycopg.connect(server.url, autocommit=True) as connection:
        for role in rights.ROLES:  # of the test before, whose databases go with them
            if connection.execute("select to_regrole(%s)", (role,)).fetchone() != (None,):
                for (name,) in connection.execute(
                    "select datname from pg_database where datname like 't\\_%'"
                ).fetchall():
                    connection.execute(f"drop database {name} with (force)".encode())
                connection.execute(f"drop role {role}".encode())
        connection.execute("create role maker login createrole password 'makes'")
        connection.execute("create database making owner maker")
    password = server.url.split(":")[2].split("@")[0]
    url = server.url_of("making").replace("//lifehouse:", "//maker:").replace(password, "makes")
    with psycopg.connect(url) as connection:
        control.migrate(connection)
    monkeypatch.setenv("TINY_FOLDER", "")
    company = found(tmp_path, url)
    assert company.ctx.warehouse.has_roles
    assert stations.ingest(company.ctx, "tiny") == 1
    with company.ctx.warehouse.connect() as connection:
        assert roles.audit(Catalog.read(connection)) == []
        assert connection.execute("select count(*) from raw_tiny.people").fetchone() == (3,)
