"""The primary keys of the marts, from their YAML."""

from __future__ import annotations

from functools import cache
from typing import Any

from lifehouse import config
from lifehouse.build.project import SHIPPED


@cache
def keys() -> dict[str, list[str]]:
    """Mart -> the columns that identify its rows: the first ``unique_combination``, else the column that is ``unique``."""
    found: dict[str, list[str]] = {}
    for path in sorted((SHIPPED / "models" / "marts").rglob("*.yml")):
        for model in config.read(path.read_text(encoding="utf-8")).get("models", []):
            columns = _key(model)
            if columns:
                found[model["name"]] = columns
    return found


def _key(model: dict[str, Any]) -> list[str]:
    for test in model.get("data_tests", []):
        if isinstance(test, dict) and "unique_combination" in test:
            return list(test["unique_combination"]["arguments"]["columns"])
    for column in model.get("columns", []):
        if "unique" in column.get("data_tests", []):
            return [column["name"]]
    return []
