"""A sync that dies at a named step, in this process."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from lifehouse.activation.steps import Step


class Killed(SystemExit):
    """Nothing of the engine catches it, as nothing catches a kill."""


def _crash() -> None:
    raise Killed


def kill_at(step: Step, work: Callable[[], object]) -> None:
    """Do the work, which does not survive the step."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lifehouse.activation.steps.crash", _crash)
        patched.setenv("LIFEHOUSE_CRASH_AT", step)
        with pytest.raises(Killed):
            work()
    gc.collect()  # what the killed loop left, here and not in the midst of another test
