"""The suites of the release gate: Python files in ``expectations/release``, of the installation and of the company."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from lifehouse.context import Context
from lifehouse.errors import ConfigError
from lifehouse.project import INSTALLATION
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Expectation, tables_of

FOLDER = Path("expectations") / "release"


def expectations(ctx: Context, candidate: Candidate, marts: list[str]) -> dict[str, list[Expectation]]:
    """What must hold of each table, by table; one of another schema than the slot's has the schema before a dot.

    :raises ConfigError: a suite's file cannot be used.
    """
    found: dict[str, list[Expectation]] = {}
    for path in files(ctx):
        for table, expected in _read(path, candidate, marts):
            found.setdefault(table, []).extend(expected)
    return found


def files(ctx: Context) -> list[Path]:
    """The suites' files."""
    roots = dict.fromkeys((INSTALLATION, ctx.project.root))
    return [path for root in roots for path in sorted((root / FOLDER).glob("*.py"))]


def _read(path: Path, candidate: Candidate, marts: list[str]) -> Iterator[tuple[str, list[Expectation]]]:
    name = f"lifehouse_expectations.{path.parts[-4]}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: cannot be read")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        for table in tables_of(module.TABLES, marts):
            yield table, list(module.expectations(candidate, table))
    except Exception as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
