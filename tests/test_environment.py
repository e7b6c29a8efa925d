"""The environment is the one that was locked, and its telemetry is off."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement

from lifehouse.project import INSTALLATION

SILENCED = """
import os, pathlib
from lifehouse.context import Context
from lifehouse.home import Home
from lifehouse.ingest import landing
from lifehouse.project import Project, INSTALLATION
landing.configure(Context(Home(pathlib.Path(os.environ["PLACE"])), Project(INSTALLATION)))
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.configuration.resolve import resolve_configuration
print(resolve_configuration(RuntimeConfiguration()).dlthub_telemetry)
"""


def test_what_is_installed_is_what_was_locked() -> None:
    lock = (INSTALLATION / "requirements.lock").read_text()
    locked = [
        Requirement(line.rstrip(" \\")) for line in re.findall(r"^[a-z0-9][^\n]*==[^\n]*", lock, flags=re.M)
    ]
    wanted = {
        r.name: str(r.specifier).removeprefix("==") for r in locked if not r.marker or r.marker.evaluate()
    }
    assert len(wanted) > 200
    assert {name: metadata.version(name) for name in wanted} == wanted


def test_every_locked_package_has_a_hash_and_no_address() -> None:
    lock = (INSTALLATION / "requirements.lock").read_text()
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    assert "--index-url" not in lock.replace("--no-emit-index-url", "")


def test_telemetry_of_dlt_is_off_without_any_setting_of_the_user(tmp_path: object) -> None:
    silent = {
        name: value
        for name, value in os.environ.items()
        if name != "DO_NOT_TRACK" and not name.startswith("RUNTIME__")
    }
    said = subprocess.run(
        [sys.executable, "-c", SILENCED],
        env={**silent, "PLACE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert said.stdout.split() == ["False"]
