"""What one ingest brought of one table, before it is recorded: how far it reached and what shape it had."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileRead:
    """One file as it was read. ``sha256`` is that of the bytes read, not of what the folder holds later."""

    file: str
    size_bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class SchemaChange:
    """A column that is not as declared: ``added``, ``missing`` or ``retyped``."""

    column: str
    kind: str
    declared: str | None = None
    found: str | None = None


@dataclass
class Delivery:
    """Filled in while a table is extracted. ``cursor_from`` is the bound that was read from, overlap deducted."""

    table: str
    cursor_from: str | None = None
    changes: list[SchemaChange] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)

    def note(self, change: SchemaChange) -> None:
        """Keep a change of shape, once."""
        if change not in self.changes:
            self.changes.append(change)
