"""How much memory this process takes at its most during a piece of work."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class PeakMemory:
    """Begins when it is made. The kernel keeps one peak for the life of a process; Linux lets it begin anew."""

    def __init__(self) -> None:
        try:
            _RESET.write_text("5")
            self._is_reset = True
        except OSError:
            self._is_reset = False
        self._own, self._children = _most(resource.RUSAGE_SELF), _most(resource.RUSAGE_CHILDREN)

    def bytes(self) -> int | None:
        """Resident memory at its most since then, of this process or of a child that ended; None if it cannot be told.

        Without the reset, a peak is known only if it is higher than all before it.
        """
        own, children = _most(resource.RUSAGE_SELF), _most(resource.RUSAGE_CHILDREN)
        known = [children] if children > self._children else []
        if self._is_reset:
            known.append(_peak() or own)
        elif own > self._own:
            known.append(own)
        return max(known, default=None)


def _most(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * _UNIT


def _peak() -> int | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
