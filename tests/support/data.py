"""Real data for tests; it stays out of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifehouse.project import INSTALLATION


def data_folder(name: str) -> Path:
    """``<data>/<name>``, where data is ``LIFEHOUSE_TEST_DATA`` or ``../shared/data`` beside the checkout; skips without it."""
    place = Path(os.environ.get("LIFEHOUSE_TEST_DATA") or INSTALLATION.parent / "shared" / "data") / name
    if not place.is_dir():
        pytest.skip(
            f"the data set {name!r} is not on this machine; set LIFEHOUSE_TEST_DATA to the folder that holds it"
        )
    return place
