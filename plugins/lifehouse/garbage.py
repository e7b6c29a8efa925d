"""How often Python looks for garbage in rings: seldom, where many objects are made and few are garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_seldom(objects: int) -> Iterator[None]:
    """Look when that many new objects are there, or as seldom as before: the looking is a fifth of such work."""
    before = gc.get_threshold()
    gc.set_threshold(max(objects, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
