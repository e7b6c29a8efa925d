"""Tiny companies for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lifehouse.context import Context
from support.tiny import TINY, Company


@pytest.fixture
def tiny(
    make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Company]:
    """Makes tiny companies; the one made last is the one whose folder is read."""

    def make(name: str = "company") -> Company:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("TINY_FOLDER", str(folder))
        return Company(make_context(project_root=TINY), folder)

    return make
