"""The input contract as its YAML declares it: its tables, and which of their columns name whom."""

from __future__ import annotations

from functools import cache
from typing import Any

from lifehouse import config
from lifehouse.project import INSTALLATION

FOLDER = INSTALLATION / "dbt_project" / "models" / "staging" / "contract"
#: The columns by which a row finds its customer, each with the kind of key that it is in ``core.changed_keys``.
NAMING = {"customer_key": "customer", "referred_key": "customer", "cookie": "cookie"}


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Each table with its declaration (``columns``, ``config``...), in the order of the files."""
    return {
        model["name"].removeprefix("contract_"): model
        for file in sorted(FOLDER.glob("*.yml"))
        for model in config.read(file.read_text(encoding="utf-8"))["models"]
    }


def columns(table: str) -> list[str]:
    """The names of a table's columns."""
    return [column["name"] for column in tables()[table]["columns"]]


def person_columns() -> list[tuple[str, str]]:
    """Which columns hold a key of a person of the source: (table, column)."""
    people = [name for name, kind in NAMING.items() if kind == "customer"]
    return [(table, name) for table in tables() for name in people if name in columns(table)]


def happenings() -> dict[str, list[str]]:
    """The tables that tell what happened to a customer, each with its columns of times."""
    found = {}
    for table, model in tables().items():
        meta = model.get("config", {}).get("meta", {})
        if "happened_at" in meta:
            found[table] = [meta["happened_at"], *meta.get("later", [])]
    return found
