"""The seconds of dbt's statements, model by model: what is left of a model's time dbt itself took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifehouse.build import journal


@contextmanager
def timed() -> Iterator[Mapping[str, float]]:
    """Yields seconds by model, which fill up within the block. A statement counts from its sending to its answer."""
    seconds: dict[str, float] = defaultdict(float)
    written = journal.written

    @contextmanager
    def counting(folder: Path) -> Iterator[Callable[[Any], None]]:
        with written(folder) as keep:

            def count(event: Any) -> None:
                if event.info.name == "SQLQueryStatus":
                    seconds[event.data.node_info.node_name] += event.data.elapsed
                keep(event)

            yield count

    vars(journal)["written"] = counting
    try:
        yield seconds
    finally:
        vars(journal)["written"] = written
