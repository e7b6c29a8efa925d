"""The engine's SQL, one statement a file; ``{names}`` are composed, ``%(values)s`` are bound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from psycopg import sql

_HERE = Path(__file__).parent


@cache
def statement(name: str) -> sql.SQL:
    """The text of ``<name>.sql``."""
    return sql.SQL((_HERE / f"{name}.sql").read_text(encoding="utf-8"))
