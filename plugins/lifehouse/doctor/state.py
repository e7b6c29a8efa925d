"""The state: its folder, the warehouse, Airflow, what is published."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.doctor.machine import GIB
from lifehouse.errors import LifehouseError
from lifehouse.releases.overdue import overdue
from lifehouse.warehouse.connection import MINIMUM_VERSION


def home(ctx: Context) -> Iterator[Finding]:
    writable = os.access(ctx.home.path, os.W_OK | os.X_OK)
    yield Finding(
        "state folder",
        Verdict.FINE if writable else Verdict.WRONG,
        str(ctx.home.path),
        "make it writable for this user, or set LIFEHOUSE_HOME",
    )


def warehouse(ctx: Context) -> Iterator[Finding]:
    external = bool(os.environ.get("LIFEHOUSE_WAREHOUSE_URL"))
    what = "LIFEHOUSE_WAREHOUSE_URL" if external else "the embedded server"
    try:
        parameters = ctx.warehouse.parameters
        version = int(ctx.warehouse.value("show server_version_num"))
        encoding = ctx.warehouse.value("show server_encoding")
        size = int(ctx.warehouse.value("select pg_database_size(current_database())"))
    except LifehouseError as error:
        advice = (
            "check host, port, user and password in LIFEHOUSE_WAREHOUSE_URL, or unset it to use the embedded server"
            if external
            else "read the log that the message names; `lifehouse clean` makes a fresh start (and forgets all state)"
        )
        yield Finding("warehouse", Verdict.WRONG, str(error), advice)
        return
    place = f"{parameters.get('host')}:{parameters.get('port')}/{parameters.get('dbname')}"
    yield Finding(
        "warehouse",
        Verdict.FINE if version >= MINIMUM_VERSION else Verdict.WRONG,
        f"Postgres {version // 10000}.{version % 10000} at {place} ({what}), {size / GIB:.2f} GiB",
        f"use Postgres {MINIMUM_VERSION // 10000} or newer",
    )
    if encoding != "UTF8":
        yield Finding(
            "warehouse", Verdict.WRONG, f"encoding {encoding}", "create the database with encoding UTF8"
        )


def service(ctx: Context) -> Iterator[Finding]:
    from lifehouse.orchestration.settings import Settings  # noqa: PLC0415  heavy
    from lifehouse.orchestration.standalone import Standalone  # noqa: PLC0415  heavy

    if not (ctx.home.path / "airflow").exists():
        yield Finding("Airflow", Verdict.FINE, "not started here yet (lifehouse up starts it)")
        return
    airflow = Standalone(Settings(ctx))
    dead = [process.name for process in airflow._processes if not process.pid()]
    if len(dead) == len(airflow.parts):
        yield from _port(airflow.settings.port)
        return
    unhealthy = dead or airflow.client().unhealthy()
    yield Finding(
        "Airflow",
        Verdict.WRONG if unhealthy else Verdict.FINE,
        f"not healthy: {', '.join(unhealthy)}" if unhealthy else f"healthy at {airflow.settings.url}",
        f"lifehouse down && lifehouse up; its logs lie in {airflow.settings.folder}",
    )


def _port(port: int) -> Iterator[Finding]:
    """Airflow does not run: whether the port of its last start is still free."""
    if not port:
        yield Finding("Airflow", Verdict.FINE, "not running (lifehouse up starts it)")
        return
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    yield Finding(
        "Airflow",
        Verdict.MIND if taken else Verdict.FINE,
        f"not running; its port {port} is {'used by another program' if taken else 'free'}",
        "nothing: the next start takes another port, and a bookmark of the UI must follow",
    )


def release(ctx: Context) -> Iterator[Finding]:
    row = next(
        iter(ctx.warehouse.rows("select release_id, as_of, syncs_paused from control.published")), None
    )
    if row is None:
        yield Finding("release", Verdict.MIND, "nothing is published yet", "lifehouse run, or lifehouse demo")
        return
    yield Finding(
        "release",
        Verdict.MIND if row["syncs_paused"] else Verdict.FINE,
        f"{row['release_id']} is published, as of {row['as_of']:%Y-%m-%d %H:%M} UTC"
        + (", syncs paused" if row["syncs_paused"] else ""),
        "the syncs go on with the next release that is published",
    )
    owed = overdue(ctx)
    if owed:
        yield Finding(
            "release", Verdict.WRONG, owed.sentence, "look at `lifehouse status` and at the DAG marts"
        )
