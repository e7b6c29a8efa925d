"""The three things every station needs: where state lives, what the company is, and the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lifehouse.home import Home
from lifehouse.project import Project
from lifehouse.warehouse.connection import Warehouse


@dataclass(frozen=True)
class Context:
    """Passed to every station; ``warehouse`` starts the embedded server on first use if no URL is set."""

    home: Home
    project: Project

    @classmethod
    def current(cls) -> Context:
        project = Project.current()
        return cls(Home.current(project.root), project)

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse.current(self.home)

    def acting_as(self, role: str) -> Context:
        """The same context, whose warehouse is spoken to with the rights of ``role`` alone."""
        acting = Context(self.home, self.project)
        vars(acting)["warehouse"] = self.warehouse.as_role(role)  # the cached property, preset
        return acting
