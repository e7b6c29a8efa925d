"""The macros by which staging reads raw, run as they are, without dbt: one statement instead of a whole night."""

from __future__ import annotations

import hashlib
from typing import Any

import jinja2
import psycopg

from lifehouse.build.project import SHIPPED

MACROS = SHIPPED / "macros" / "staging.sql"


class Macros:
    """``raw`` and ``touch`` of one table of a source, whose unit is ``unit``."""

    def __init__(
        self, connection: psycopg.Connection[Any], source: str, table: str, unit: list[str], by: str
    ):
        self.connection, self.reads = connection, {"source": source, "table": table, "by": by}
        self.is_incremental = False
        lifehouse: dict[str, Any] = {}
        environment = jinja2.Environment(extensions=["jinja2.ext.do"])
        environment.globals.update(
            lifehouse=lifehouse,
            var=lambda name: {f"{source}.{table}": unit},
            config=_Config(self.reads),
            is_incremental=lambda: self.is_incremental,
            run_query=self._rows,
            local_md5=lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        )
        text = MACROS.read_text()
        for name in (
            "accepted_loads",
            "changed_loads",
        ):  # a template exports no name with an underscore before it
            text = text.replace(f"_{name}()", f"{name}()")
        self.module: Any = environment.from_string(text).module
        lifehouse["is_scratch"] = lambda: False
        lifehouse.update({name: getattr(self.module, name) for name in dir(self.module) if name[:2] != "__"})

    def living(self) -> list[dict[str, Any]]:
        """The current rows of everything."""
        self.is_incremental = False
        return self._read()

    def touched(self) -> list[dict[str, Any]]:
        """The current rows of what the loads between the run's watermarks touched."""
        self.is_incremental = True
        for statement in self.module.touch().split(";"):
            self.connection.execute(statement.encode())
        return self._read()

    def _read(self) -> list[dict[str, Any]]:
        query = f"select * from {self.module.raw(**self.reads)} as records"
        cursor = self.connection.cursor(row_factory=psycopg.rows.dict_row)
        return cursor.execute(query.encode()).fetchall()

    def _rows(self, query: Any) -> Any:
        rows = self.connection.execute(str(query).encode()).fetchall()
        return _Rows([_Column([row[0] for row in rows])])


class _Config:
    def __init__(self, reads: dict[str, str]):
        self.reads = reads

    def __call__(self, **_: Any) -> str:
        return ""

    def get(self, name: str) -> Any:
        return {"reads": self.reads}.get(name)


class _Column:
    def __init__(self, found: list[Any]):
        self.found = found

    def values(self) -> list[Any]:
        return self.found


class _Rows:
    def __init__(self, columns: list[_Column]):
        self.columns = columns
