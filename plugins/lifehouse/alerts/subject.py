"""What an alert is about: the marts, one source, one sync. Its words are the ledger's key; a DAG's name leads to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lifehouse.activation.declaration import find_sync
from lifehouse.context import Context
from lifehouse.errors import LifehouseError
from lifehouse.ingest.declaration import find_source


@dataclass(frozen=True)
class Subject:
    """``name`` is empty for the marts."""

    kind: Literal["marts", "source", "sync"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def dag_id(self) -> str:
        return f"{self.kind}_{self.name}" if self.name else self.kind

    @classmethod
    def of_dag(cls, dag_id: str) -> Subject | None:
        """The subject of one of the house's DAGs; None of another."""
        if dag_id == "marts":
            return cls("marts")
        kind, _, name = dag_id.partition("_")
        if name and kind == "source":
            return cls("source", name)
        if name and kind == "sync":
            return cls("sync", name)
        return None

    def owner(self, ctx: Context) -> str | None:
        """Who is declared to be told; None for the marts, or where the declaration is broken."""
        try:
            if self.kind == "source":
                return find_source(ctx.project, self.name).owner
            if self.kind == "sync":
                return find_sync(ctx.project, self.name).owner
        except LifehouseError:
            pass
        return None
