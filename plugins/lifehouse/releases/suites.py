"""The suites of the release gate: Python files in ``expectations/release``, of the installation and of the company."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from lifehouse.context import Context
from lifehouse.errors import ConfigError
from lifehouse.project import INSTALLATION
from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import EVERY_MART, Expectation, Rule

FOLDER = Path("expectations") / "release"


def expectations(ctx: Context, candidate: Candidate, marts: list[str]) -> dict[str, list[Rule | Expectation]]:
    """What must hold of each table, by table; one of another schema than the slot's has the schema before a dot.

    :raises ConfigError: a suite's file cannot be used.
    """
    found: dict[str, list[Rule | Expectation]] = {}
    for path in files(ctx):
        suite = load(path)
        try:
            for table in marts if suite.TABLES == EVERY_MART else suite.TABLES:
                found.setdefault(table, []).extend(suite.expectations(candidate, table))
        except Exception as error:
            raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
    return found


def files(ctx: Context) -> list[Path]:
    """The suites' files."""
    roots = dict.fromkeys((INSTALLATION, ctx.project.root))
    return [path for root in roots for path in sorted((root / FOLDER).glob("*.py"))]


def load(path: Path) -> ModuleType:
    """A suite's file as a module: ``TABLES`` and ``expectations(candidate, table)``.

    :raises ConfigError: it cannot be imported.
    """
    name = f"lifehouse_expectations.{path.parts[-4]}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: cannot be read")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error
    return module
