"""Python environments of their own, for programs that are tested against or measured beside, never depended on."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from lifehouse.project import INSTALLATION

#: What is installed once is found again; git ignores the folder, and whoever needs the room may delete it.
CACHE = INSTALLATION / "build" / "environments"


class Unavailable(Exception):
    """It could not be installed; the text says why."""


def installed(name: str, *packages: str, seconds: float = 240) -> Path:
    """The folder of an environment's programs, with the pinned ``packages`` from Python's registry in it.

    :raises Unavailable: the registry cannot be reached, or does not have them.
    """
    folder = CACHE / name

    def install() -> None:
        venv.create(folder, with_pip=True)
        brief = ["--quiet", "--retries", "1", "--timeout", "30"]
        command = [folder / "bin" / "python", "-m", "pip", "install", *brief, *packages]
        fetch(name, "Python's registry", command, seconds)

    once(folder, packages, install)
    return folder / "bin"


def fetch(name: str, registry: str, command: Sequence[str | Path], seconds: float) -> None:
    """Run an installer.

    :raises Unavailable: the registry does not answer in time, or does not have what is asked for.
    """
    try:
        done = subprocess.run(command, timeout=seconds, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{name} needs {registry}, which did not answer in time") from None
    if done.returncode:
        raise Unavailable(f"{name} could not be installed from {registry}")


def once(folder: Path, packages: Sequence[str], install: Callable[[], None]) -> None:
    """Install into the folder, which is not there then, unless these packages are in it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    ready = folder / "installed.txt"
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers may ask at the same time
        if not ready.exists() or ready.read_text(encoding="utf-8").split("\n") != list(packages):
            shutil.rmtree(folder, ignore_errors=True)
            install()
            ready.write_text("\n".join(packages), encoding="utf-8")


if __name__ == "__main__":
    print(installed(*sys.argv[1:]))
