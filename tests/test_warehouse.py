"""The embedded server and the control schema."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.warehouse import control
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
