"""Fresh databases on a test session's embedded server."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from lifehouse.home import Home
from lifehouse.warehouse import control
from lifehouse.warehouse.server import EmbeddedServer

TEMPLATE = "lifehouse_template"


@dataclass
class Databases:
    """Makes and drops databases on the session's server.

    A name is used again once its database is dropped: what dbt parsed for an address is then not parsed again.
    """

    server: EmbeddedServer
    _names: set[str] = field(default_factory=set)

    def create_template(self) -> None:
        """The template from which databases are made: the control schema."""
        with psycopg.connect(self.create(TEMPLATE, template=None)) as connection:
            control.migrate(connection)

    def create(self, name: str | None = None, template: str | None = TEMPLATE) -> str:
        """A new database, by default with the control schema; returns its URL."""
        name = name or next(free for i in itertools.count(1) if (free := f"t_{i}") not in self._names)
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        self._names.add(name)
        return self.server.url_of(name)

    def drop(self, url: str) -> None:
        name = url.rsplit("/", 1)[1]
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')
        self._names.discard(name)


@contextmanager
def on_own_server(what: str) -> Iterator[Databases]:
    """Databases on a server of their own, for what ``make`` runs beside the tests; nothing of it stays."""
    home = Path(tempfile.mkdtemp(prefix=f"lifehouse-{what}-"))
    home.chmod(0o711)
    server = EmbeddedServer(Home(home))
    server.start()
    try:
        databases = Databases(server)
        databases.create_template()
        yield databases
    finally:
        server.remove()
        shutil.rmtree(home, ignore_errors=True)
