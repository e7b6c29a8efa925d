"""What a piece of work asks of Postgres: connections and statements, counted as they pass; nothing is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import psycopg

from lifehouse.warehouse.connection import Warehouse


@dataclass
class Asked:
    """Statements in their order, and the number of connections of the warehouse."""

    statements: list[Any] = field(default_factory=list)
    connections: int = 0


@contextmanager
def counted() -> Iterator[Asked]:
    """Counts while the block runs, in this process."""
    asked, connect, execute = Asked(), Warehouse.connect, psycopg.Cursor.execute

    def connecting(self: Warehouse, **options: Any) -> Any:
        asked.connections += 1
        return connect(self, **options)

    def executing(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        asked.statements.append(query)
        return execute(self, query, *arguments, **options)

    with patch.object(Warehouse, "connect", connecting), patch.object(psycopg.Cursor, "execute", executing):
        yield asked
