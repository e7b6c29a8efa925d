"""Where the state of one installation lives: ``LIFEHOUSE_HOME``, by default ``.lifehouse`` in the project folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """One folder that holds everything which is not code. Removing it (``lifehouse clean``) forgets all state."""

    path: Path

    @classmethod
    def current(cls, project_root: Path) -> Home:
        """The folder named by ``LIFEHOUSE_HOME``, or ``.lifehouse`` beside the project; made if missing."""
        path = Path(os.environ.get("LIFEHOUSE_HOME") or project_root / ".lifehouse").absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(path)

    def folder(self, *parts: str) -> Path:
        """A folder below the home, made if missing."""
        folder = self.path.joinpath(*parts)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def file(self, *parts: str) -> Path:
        """A file below the home; its folder is made if missing."""
        return self.folder(*parts[:-1]) / parts[-1]
