"""Texts of the configuration as literals of SQL."""

from __future__ import annotations

from psycopg import sql


def literal(value: str) -> sql.Composable:
    """``value`` as a literal of a query that is executed with parameters: a ``%`` in it is no placeholder."""
    return sql.SQL(sql.Literal(value).as_string().replace("%", "%%"))
