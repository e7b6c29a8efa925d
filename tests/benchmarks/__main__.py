"""``make bench``: every benchmark in this folder, or those that are named; each prints its figures.

A benchmark is a module with ``run(databases)``, which gives names and figures, all at the end (a dict) or one by one (pairs);
its docstring says what is measured.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from support.databases import on_own_server

HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    found = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    with on_own_server("bench") as databases:
        for name in names or found:
            module = importlib.import_module(f"benchmarks.{name}")
            print(f"{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
            found = module.run(databases)
            for what, figure in found.items() if isinstance(found, dict) else found:
                print(f"  {what:<60} {figure}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
