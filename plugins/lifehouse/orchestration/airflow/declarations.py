"""The project's YAML files as DAG files need them: those that are sound, and the mistakes of the others.

A broken file must not take the healthy DAGs with it: ``dags/declarations.py`` fails to import and shows the mistakes,
while ``dags/sources.py`` and ``dags/syncs.py`` go on without that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lifehouse.activation.declaration import Sync, load_sync
from lifehouse.errors import ConfigError
from lifehouse.ingest.declaration import Source, load_source
from lifehouse.project import Project

Declaration = TypeVar("Declaration")


def sources(project: Project | None = None) -> list[Source]:
    """The sound declarations in ``dags/sources/*.yml``, by default of the current project."""
    return _read((project or Project.current()).source_files, load_source)[0]


def syncs(project: Project | None = None) -> list[Sync]:
    """The sound declarations in ``dags/syncs/*.yml``, by default of the current project."""
    return _read((project or Project.current()).sync_files, load_sync)[0]


def mistakes() -> list[str]:
    """Every mistake in the project's declarations, each beginning with ``file:line``."""
    project = Project.current()
    return _read(project.source_files, load_source)[1] + _read(project.sync_files, load_sync)[1]


def _read(files: Iterable[Path], load: Callable[[Path], Declaration]) -> tuple[list[Declaration], list[str]]:
    sound: list[Declaration] = []
    broken: list[str] = []
    for file in files:
        try:
            sound.append(load(file))
        except ConfigError as error:
            broken.append(str(error))
    return sound, broken
