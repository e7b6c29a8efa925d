"""Real data and vendors' contracts for tests; they stay out of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifehouse.project import INSTALLATION


def data_folder(name: str) -> Path:
    """The folder of a data set: in ``LIFEHOUSE_TEST_DATA``, else in a ``data`` folder next to the checkout; skips without it."""
    return _beside("data", name, "LIFEHOUSE_TEST_DATA", f"data set {name!r}")


def contract(name: str) -> Path:
    """A contract's file: in ``LIFEHOUSE_TEST_CONTRACTS``, else in a ``contracts`` folder likewise; skips without it."""
    return _beside("contracts", name, "LIFEHOUSE_TEST_CONTRACTS", f"contract {name!r}")


def _beside(folder: str, name: str, variable: str, what: str) -> Path:
    named = os.environ.get(variable)
    for place in [Path(named)] if named else sorted(INSTALLATION.parent.glob(f"*/{folder}")):
        if (place / name).exists():
            return place / name
    pytest.skip(f"the {what} is not on this machine; set {variable} to the folder that holds it")
