"""dbt's log, kept by us: its own log and its results quote the rows at fault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifehouse.redaction import without_values

_LEVELS = {"info", "warn", "error"}
_LONG = 10_000_000  # bytes


@contextmanager
def written(folder: Path) -> Iterator[Callable[[Any], None]]:
    """Yields what takes dbt's events; they are appended to ``dbt.log`` in words without values. A long log is set aside."""
    file = folder / "dbt.log"
    if file.exists() and file.stat().st_size > _LONG:
        file.replace(folder / "dbt.log.old")
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:

        def keep(event: Any) -> None:
            if event.info.level in _LEVELS and (said := without_values(event.info.msg)):
                log.write(f"{event.info.ts.ToJsonString()} {event.info.level:<5} {said}\n")

        yield keep
