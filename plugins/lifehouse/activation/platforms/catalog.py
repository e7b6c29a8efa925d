"""Which platforms a sync may name: those in Python, those that ship as declarations, the company's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lifehouse.activation.platforms import OPTIONS
from lifehouse.activation.platforms.declaration import Declared, load
from lifehouse.spelling import did_you_mean

SHIPPED = Path(__file__).parent / "shipped"


def own(project_root: Path) -> Path:
    """The folder of the company's declarations."""
    return project_root / "dags" / "platforms"


def files(project_root: Path) -> dict[str, Path]:
    """Declarations by name; a company's takes the place of a shipped one of the same name."""
    return {
        path.stem: path for folder in (SHIPPED, own(project_root)) for path in sorted(folder.glob("*.yml"))
    }


def find(name: str, project_root: Path) -> Declared | None:
    """The declaration of that name; None for a platform in Python.

    :raises ConfigError: its file is wrong. :raises LookupError: there is no such platform; says which there are.
    """
    if name in OPTIONS:
        return None
    known = files(project_root)
    if name not in known:
        names = sorted([*OPTIONS, *known])
        hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
        raise LookupError(f"unknown platform {name!r}{hint}")
    path = known[name]
    return _loaded(path, path.stat().st_mtime_ns)


@cache
def _loaded(path: Path, _: int) -> Declared:
    return load(path)
