"""Real data for tests; it stays out of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifehouse.project import INSTALLATION


def data_folder(name: str) -> Path:
    """The folder of a data set: in ``LIFEHOUSE_TEST_DATA``, else in a ``data`` folder next to the checkout; skips without it."""
    named = os.environ.get("LIFEHOUSE_TEST_DATA")
    around = [Path(named)] if named else sorted(INSTALLATION.parent.glob("*/data"))
    for folder in around:
        if (folder / name).is_dir():
            return folder / name
    pytest.skip(
        f"the data set {name!r} is not on this machine; set LIFEHOUSE_TEST_DATA to the folder that holds it"
    )
