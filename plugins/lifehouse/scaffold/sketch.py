"""What was found at a source: tables and columns with the types that their values fit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

_RESERVED = frozenset(  # Postgres' words that no column may have without quotes
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_date "  # noqa: SIM905
    "current_role current_time current_timestamp current_user default deferrable desc distinct do else end except false fetch "
    "for foreign from grant group having in initially intersect into lateral leading limit localtime localtimestamp not null "
    "offset on only or order placing primary references returning select session_user some symmetric system_user table then to "
    "trailing true union unique user using variadic when where window with".split()
)


@dataclass(frozen=True)
class Column:
    """One column. ``header`` is the source's own spelling, ``name`` ours; ``type`` a Postgres type."""

    name: str
    header: str
    type: str
    complete: bool = False  # no empty value was seen
    float_ids: bool = False  # whole numbers written like 17850.0, as pandas exports ids
    latest: str = ""  # the newest day seen, ISO, of a time
    date_format: str = ""  # a to_timestamp format, where the values are no ISO dates


@dataclass(frozen=True)
class Table:
    """One table: its columns, its key (empty where lines have none of their own) and how it is read incrementally."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    cursor: str = ""
    original: str = ""  # its name at the source, in a database
    files: str = ""  # the pattern of its files
    delimiter: str = ","
    encoding: str = "utf-8"
    rows_seen: int = 0
    file_count: int = 0
    notes: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def noted(self, note: str) -> Table:
        """The same table with one more remark for the person who reads the draft."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)
class Found:
    """A source: where it is and what it holds."""

    kind: Literal["files", "sql"]
    place: str  # the folder, or the schema
    tables: tuple[Table, ...]


def snake(text: str) -> str:
    """``InvoiceNo``, ``Invoice No`` and ``invoice-no`` as ``invoice_no``; a name that SQL takes without quotes."""
    name = "_".join(word.lower() for word in _WORD.findall(text)) or "column"
    if name in _RESERVED:
        return f"{name}_"
    return f"n_{name}" if name[0].isdigit() else name
