"""What the YAML of the marts promises of each: its keys, the columns that are never null, the values that are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from lifehouse import config
from lifehouse.project import INSTALLATION

_MODELS = INSTALLATION / "dbt_project" / "models" / "marts"


@dataclass(frozen=True)
class Shape:
    """What the YAML says of a mart.

    ``keys``: the combinations of columns that identify a row, null or not. ``required``: the columns that are never
    null, each with the condition under which it is so. ``allowed``: the values of a column.
    """

    columns: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    required: dict[str, str]
    allowed: dict[str, tuple[str, ...]]


@cache
def shapes() -> dict[str, Shape]:
    """By mart."""
    found: dict[str, Shape] = {}
    for path in sorted(_MODELS.rglob("*.yml")):
        declared = config.read(path.read_text(encoding="utf-8")) or {}
        found |= {model["name"]: _shape(model) for model in declared.get("models") or []}
    return found


def _shape(model: dict[str, Any]) -> Shape:
    columns = model.get("columns") or []
    tests = {column["name"]: _tests(column) for column in columns}
    combinations = [_tests({"data_tests": [test]}) for test in model.get("data_tests") or []]
    return Shape(
        columns=tuple(tests),
        keys=(
            *(
                tuple(test["unique_combination"]["columns"])
                for test in combinations
                if "unique_combination" in test and _where(test["unique_combination"]) == "true"
            ),
            *((name,) for name, test in tests.items() if "unique" in test),
        ),
        required={name: _where(test["not_null"]) for name, test in tests.items() if "not_null" in test},
        allowed={
            name: tuple(test["accepted_values"]["values"])
            for name, test in tests.items()
            if "accepted_values" in test
        },
    )


def _tests(column: dict[str, Any]) -> dict[str, Any]:
    """The tests by name, each with its arguments."""
    named: dict[str, Any] = {}
    for test in column.get("data_tests") or []:
        if isinstance(test, str):
            named[test] = {}
        else:
            for name, given in test.items():
                told = given or {}
                named[name] = {**told.get("arguments", {}), "config": told.get("config", {})}
    return named


def _where(test: dict[str, Any]) -> str:
    """The rows that a test is about, a condition."""
    return str(test.get("config", {}).get("where", "true"))
