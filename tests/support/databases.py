"""Fresh databases on a test session's embedded server."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import psycopg

from lifehouse.warehouse import control
from lifehouse.warehouse.server import EmbeddedServer

TEMPLATE = "lifehouse_template"


@dataclass
class Databases:
    """Makes and drops databases on the session's server."""

    server: EmbeddedServer

    def create_template(self) -> None:
        """The template from which databases are made: the control schema."""
        with psycopg.connect(self.create(TEMPLATE, template=None)) as connection:
            control.migrate(connection)

    def create(self, name: str | None = None, template: str | None = TEMPLATE) -> str:
        """A new database, by default with the control schema; returns its URL."""
        name = name or f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        return self.server.url_of(name)

    def drop(self, url: str) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{url.rsplit("/", 1)[1]}" with (force)')
