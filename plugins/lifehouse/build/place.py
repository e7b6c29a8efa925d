"""Where a build stands: the schemas that it reads and writes, and dbt's target for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """``release`` is the schema of the marts; staging, contract, core, control and seeds are ``prefix`` + their name.

    With a ``file`` they are DuckDB's, not the warehouse's. The macros of ``dbt_project/macros/place.sql`` say the same
    to dbt, from the target's name and schema.
    """

    target: str
    release: str
    prefix: str = ""
    file: Path | None = None

    @property
    def is_scratch(self) -> bool:
        return bool(self.prefix)

    @property
    def core(self) -> str:
        return f"{self.prefix}core"

    @property
    def contract(self) -> str:
        return f"{self.prefix}contract"

    @property
    def control(self) -> str:
        return f"{self.prefix}control"

    @property
    def search_path(self) -> str:
        """For statements about core, contract and control that name no schema; their tables have no name in common."""
        return f"{self.core}, {self.contract}, {self.control}"


def nightly(slot: str) -> Place:
    """The place of the nights: core is the one that is served, the marts go into the slot."""
    return Place(slot, slot)


def scratch(name: str, *, work: bool = False) -> Place:
    """The place of a scratch build. With ``work`` its marts are a workplace, and ``scratch_<name>`` holds what is kept."""
    target = f"scratch_{name}"
    return Place(target, f"{target}__work" if work else target, f"{target}__")
