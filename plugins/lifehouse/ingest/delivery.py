"""What one ingest brought of one table, before it is recorded: how far it reached and what shape it had."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lifehouse.masks import mask


@dataclass(frozen=True)
class FileRead:
    """One file as it was read. ``sha256`` is that of the bytes read, not of what the folder holds later."""

    file: str
    size_bytes: int
    sha256: str
    rows: int


@dataclass(frozen=True)
class SchemaChange:
    """A column that is not as declared or as it was; the kinds are those of :mod:`lifehouse.ingest.drift`."""

    column: str
    kind: str
    declared: str | None = None
    found: str | None = None


@dataclass
class Delivery:
    """Filled in while a table is extracted. ``cursor_from`` is the bound that was read from, overlap deducted.

    ``types``: the source's own type of each column, by its declared name where it has one; empty where all is text.
    """

    table: str
    cursor_from: str | None = None
    changes: list[SchemaChange] = field(default_factory=list)
    files: list[FileRead] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)

    def note(self, change: SchemaChange) -> None:
        """Keep a change of shape, once. A name that looks like a person's (a key of a JSON object may be one) is masked."""
        change = replace(change, column=mask(change.column))
        if change not in self.changes:
            self.changes.append(change)
