"""The embedded server and the control schema."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.warehouse import control
from lifehouse.warehouse.connection import Warehouse
from lifehouse.warehouse.server import EmbeddedServer


def test_migrations_apply_once(ctx: Context) -> None:
    with ctx.warehouse.connect() as connection:
        assert control.migrate(connection) == []
    names = [row["name"] for row in ctx.warehouse.rows("select name from control.migrations order by name")]
    assert names == sorted(file.name for file in control.MIGRATIONS.glob("*.sql"))


START = """
from lifehouse.context import Home
from lifehouse.warehouse.server import EmbeddedServer
import pathlib, os
print(EmbeddedServer(Home(pathlib.Path(os.environ["PLACE"]))).start())
"""


def test_several_commands_at_once_start_one_server(tmp_path: Path) -> None:
    for parent in tmp_path.parents[:3]:
        if parent != Path("/tmp"):
            parent.chmod(0o711)
    environment = {**os.environ, "PLACE": str(tmp_path)}
    command = [sys.executable, "-c", START]
    starts = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ports = [int(process.communicate(timeout=60)[0]) for process in starts]
    server = EmbeddedServer(Home(tmp_path))
    try:
        assert len(set(ports)) == 1
        assert server.port() == ports[0]
        assert server.stop()
        assert server.port() is None
        assert server.start()  # what was stored is still there
    finally:
        server.remove()
    assert not server.data.exists()


def _session(warehouse: Warehouse) -> int:
    return int(warehouse.value("select pg_backend_pid()"))


def test_short_statements_share_a_connection_within_a_block_and_nothing_stays_open_after_it(
    ctx: Context,
) -> None:
    warehouse = ctx.warehouse
    with warehouse.keeping():
        session = _session(warehouse)
        with warehouse.keeping():
            assert _session(warehouse) == session
        assert _session(warehouse) == session
        with pytest.raises(psycopg.errors.UndefinedTable):
            warehouse.execute("insert into nowhere values (1)")
        assert _session(warehouse) == session  # a statement that failed leaves no transaction behind
        assert warehouse.execute("create table kept (n int)") == -1
        with warehouse.connect() as other:
            assert other.execute("select count(*) from kept").fetchone() == (0,)
    assert _session(warehouse) != session
    query = "select count(*) from pg_stat_activity where pid = %s"
    assert warehouse.value(query, (session,)) == 0


def test_a_connection_that_the_server_ended_is_made_anew(ctx: Context) -> None:
    warehouse = ctx.warehouse
    with warehouse.keeping():
        session = _session(warehouse)
        with warehouse.connect(autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s, 5000)", (session,))
        assert _session(warehouse) != session


def test_threads_and_forks_do_not_speak_on_a_connection_that_is_not_theirs(ctx: Context) -> None:
    warehouse = ctx.warehouse
    with warehouse.keeping(), ThreadPoolExecutor(1) as threads:
        session = _session(warehouse)
        assert threads.submit(_session, warehouse).result() != session
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, str(_session(warehouse)).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert int(os.read(reading, 20)) != session
        assert _session(warehouse) == session
    os.close(reading)
    os.close(writing)
