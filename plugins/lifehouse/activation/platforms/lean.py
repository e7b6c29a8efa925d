"""httpx without its command line, whose drawing of terminals takes twice as long to import as all the rest of it."""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"
_is_first = _COMMAND_LINE not in sys.modules
if _is_first:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # "not installed": httpx does without
import httpx  # noqa: E402

if _is_first:
    del sys.modules[_COMMAND_LINE]

__all__ = ["httpx"]
