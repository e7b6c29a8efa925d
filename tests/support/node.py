"""Node packages in folders of their own, for servers that are tested against, never depended on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from support.environments import CACHE, Unavailable, fetch, once


def installed(name: str, *packages: str, seconds: float = 240) -> Path:
    """The ``node_modules`` with the pinned ``packages`` from npm's registry; no package's install script is run.

    :raises Unavailable: there is no Node, or the registry cannot be reached or does not have them.
    """
    if not shutil.which("npm"):
        raise Unavailable(f"{name} needs Node and npm")
    folder = CACHE / name
    quiet = ["--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--omit=dev"]
    brief = [
        "--fetch-retry-mintimeout",
        "1000",
        "--fetch-retry-maxtimeout",
        "5000",
        "--fetch-timeout",
        "60000",
    ]

    def install() -> None:
        folder.mkdir()
        command = ["npm", "install", *quiet, *brief, "--prefix", str(folder), *packages]
        fetch(name, "npm's registry", command, seconds)

    once(folder, packages, install)
    return folder / "node_modules"


if __name__ == "__main__":
    print(installed(*sys.argv[1:]))
