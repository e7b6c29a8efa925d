"""``make bench``: every benchmark in this folder, or those that are named; each prints its figures.

A benchmark is a module with ``run(databases)``, which gives names and figures, all at the end (a dict) or one by one (pairs);
its docstring says what is measured.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from lifehouse.home import Home
from lifehouse.warehouse.server import EmbeddedServer
from support.databases import Databases

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    found = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    home = Path(tempfile.mkdtemp(prefix="lifehouse-bench-"))
    home.chmod(0o711)
    server = EmbeddedServer(Home(home))
    server.start()
    try:
        databases = Databases(server)
        databases.create_template()
        for name in names or found:
            module = importlib.import_module(f"benchmarks.{name}")
            print(f"{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
            found = module.run(databases)
            for what, figure in found.items() if isinstance(found, dict) else found:
                print(f"  {what:<60} {figure}", flush=True)
    finally:
        server.remove()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
