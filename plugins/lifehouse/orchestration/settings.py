"""Airflow's configuration for one home: a file without secrets, written anew at every start; those travel by environment."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from lifehouse import transport
from lifehouse.context import Context
from lifehouse.orchestration.configuration import LOOPBACK, SECRETS, sections
from lifehouse.project import INSTALLATION
from lifehouse.warehouse.server import EmbeddedServer

USER = "admin"
METADATA = "airflow"
_DATABASE_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
#: The marts' and sources' clocks are off: nights are triggered by hand, as the demo does.
CLOCK_VARIABLE = "LIFEHOUSE_CLOCK"


@dataclass(frozen=True)
class Settings:
    """Where Airflow keeps its things in this home, and what it is told. ``extra`` joins the processes' environment."""

    ctx: Context
    extra: Mapping[str, str] = field(default_factory=dict)
    executor: str = "LocalExecutor"
    dags_folder: Path = INSTALLATION / "dags"
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """``AIRFLOW_HOME``: configuration, logs, pid files."""
        return self.ctx.home.folder("airflow")

    @property
    def password_file(self) -> Path:
        return self.folder / "passwords.json"

    @cached_property
    def password(self) -> str:
        return str(self._secrets["password"])

    @property
    def user(self) -> str:
        return USER

    @property
    def port(self) -> int:
        """The API's port, fixed by ``write``."""
        note = self.folder / "port"
        return int(note.read_text()) if note.exists() else 0

    @property
    def fingerprint(self) -> str:
        """Changes with everything that running processes would have to be restarted for."""
        told = {
            name: value
            for name, value in self.environment().items()
            if name.startswith(("LIFEHOUSE_", "AIRFLOW_"))
        }
        told |= dict(self.extra)
        matter = json.dumps(
            [sorted(told.items()), sections(self, self._secrets), version("apache-airflow"), sys.executable],
            default=str,
        )
        return hashlib.sha256(matter.encode()).hexdigest()

    def write(self) -> None:
        """Choose the port (the last one if it is free, so that a bookmark keeps working) and write Airflow's files."""
        _write_private(self.folder / "port", str(_free(self.port) or _free(0)))
        text = "\n".join(
            f"[{section}]\n"
            + "".join(
                f"{key} = {str(value).replace('%', '%%')}\n"
                for key, value in entries.items()
                if (section, key) not in SECRETS
            )
            for section, entries in sections(self, self._secrets).items()
        )
        _write_private(self.folder / "airflow.cfg", text)
        _write_private(self.password_file, json.dumps({USER: self.password}) + "\n")

    def environment(self) -> dict[str, str]:
        """The environment of every Airflow process of this home; telemetry off, loopback never through a proxy."""
        return {
            **self._secret_entries,
            **os.environ,
            "DO_NOT_TRACK": "1",
            "SCARF_ANALYTICS": "false",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **self.extra,
            **{name: _without_proxy(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW_CONFIG": str(self.folder / "airflow.cfg"),
            "LIFEHOUSE_HOME": str(self.ctx.home.path),
            "LIFEHOUSE_PROJECT": str(self.ctx.project.root),
            "PYTHONUNBUFFERED": "1",
            # dbt's locks are freed by the end of the task's process; the helper that notices would write errors.
            "PYTHONWARNINGS": ",".join(
                filter(None, [os.environ.get("PYTHONWARNINGS"), "ignore:resource_tracker"])
            ),
        }

    @cached_property
    def _secret_entries(self) -> dict[str, str]:
        """As environment variables; those of a person's own win."""
        return {
            f"AIRFLOW__{section}__{key}".upper(): str(value)
            for section, entries in sections(self, self._secrets).items()
            for key, value in entries.items()
            if (section, key) in SECRETS
        }

    @cached_property
    def metadata_url(self) -> str:
        """Airflow's own database for SQLAlchemy: what its environment names, else one on the embedded server, made if missing."""
        given = self.extra.get(_DATABASE_VARIABLE) or os.environ.get(_DATABASE_VARIABLE)
        if given:
            return transport.postgres(given) if given.startswith("postgresql+psycopg") else given
        server = EmbeddedServer(self.ctx.home)
        with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", (METADATA,)).fetchone():
                connection.execute(f'create database "{METADATA}"')
        return "postgresql+psycopg://" + server.url_of(METADATA).split("://", 1)[1]

    def is_migrated(self) -> bool:
        """Whether the metadata database says that it was brought to this Airflow's version, and is where it was left."""
        with self._metadata() as connection:
            now, noted = self._version_and_note(connection)
        return now is not None and now == noted

    def note_migrated(self) -> None:
        """Have the metadata database say where it is now: a new home need not look for it."""
        with self._metadata() as connection:
            now, _ = self._version_and_note(connection)
            connection.execute(sql.SQL("comment on table alembic_version is {}").format(now))

    def _metadata(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.metadata_url.replace("postgresql+psycopg://", "postgresql://", 1))

    @staticmethod
    def _version_and_note(connection: psycopg.Connection[Any]) -> tuple[str | None, str | None]:
        """The migration that the database is at, with this Airflow's version, and what was noted; None where nothing is."""
        (table,) = connection.execute("select to_regclass('alembic_version')::oid").fetchone() or (None,)
        if table is None:
            return None, None
        found, noted = connection.execute(
            "select (select version_num from alembic_version), obj_description(%s, 'pg_class')", (table,)
        ).fetchone() or (None, None)
        return f"{found} {version('apache-airflow')}", noted

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @cached_property
    def _secrets(self) -> dict[str, str]:
        """Made once for a home: the fernet key opens what was stored with it."""
        file = self.folder / "secrets.json"
        if not file.exists():
            made = {name: secrets.token_urlsafe(64) for name in ("jwt", "session")}
            made["password"] = secrets.token_urlsafe(12)
            made["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            _write_private(file, json.dumps(made))
        return dict(json.loads(file.read_text()))


def _write_private(file: Path, text: str) -> None:
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    draft.replace(file)


def _without_proxy(named: str) -> str:
    return ",".join(dict.fromkeys([*filter(None, named.split(",")), LOOPBACK, "localhost"]))


def _free(port: int) -> int:
    """The port that could be bound (``0`` asks for any), or 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])
