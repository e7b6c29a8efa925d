"""Lengths of time in YAML: ``500ms``, ``90s``, ``15m``, ``12h``, ``3d``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORM = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*$")


def _parse(value: Any) -> Any:
    if isinstance(value, timedelta) or value is None:
        return value
    match = _FORM.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is no length of time; write e.g. 90s, 15m, 12h or 3d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


Duration = Annotated[timedelta, BeforeValidator(_parse)]


def words(length: timedelta) -> str:
    """``3 days``, ``5 hours``, ``40 minutes``: the largest unit that says it well."""
    seconds = length.total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or seconds == size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    count = round(seconds)
    return f"{count} second{'s' if count != 1 else ''}"
