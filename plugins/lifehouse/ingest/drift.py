"""Schema drift: what has changed in a source's columns since its last accepted load, and how much that matters.

``added``: a column more, kept in ``_extra``. ``widened``: its type holds all that it held before. ``retyped``: not that, but
still all that is declared. ``narrowed``: values that are declared can no longer come. ``missing``: the column is gone.
"""

from __future__ import annotations

import re

from lifehouse.ingest.delivery import SchemaChange
from lifehouse.ingest.table import Table

CLOSING = ("missing", "narrowed")
NOTED = ("added", "widened", "retyped")

_NAMES = {
    "character varying": "varchar", "nvarchar": "varchar", "character": "char", "bpchar": "char", "nchar": "char",
    "string": "text", "clob": "text", "longtext": "text", "mediumtext": "text", "int": "integer", "int4": "integer",
    "int2": "smallint", "tinyint": "smallint", "int8": "bigint", "decimal": "numeric", "float8": "double precision",
    "double": "double precision", "float": "double precision", "float4": "real", "datetime": "timestamp",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz", "bool": "boolean",
    "json": "jsonb", "time without time zone": "time",
}  # fmt: skip
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_FLOATS = {"real": 6, "double precision": 15}  # decimal digits that survive
_CLOCKS = ("date", "timestamp", "timestamptz")
_MANY = 1_000_000


def compare(table: Table, found: dict[str, str], before: dict[str, str] | None) -> list[SchemaChange]:
    """The changes of type of the declared columns; ``found`` and ``before`` (the last accepted load's) by their names."""
    changes = []
    for name, column in table.columns.items():
        if name in found:
            kind = classify(found[name], (before or {}).get(name), column.type)
            if kind:
                changes.append(SchemaChange(name, kind, column.type, found[name]))
    return changes


def classify(found: str, before: str | None, declared: str) -> str | None:
    """How a column of type ``found`` at the source has drifted; None: it has not.

    :param before: its type at the last accepted load; None if that is not known.
    """
    if before is None:
        if _same_sort(found, declared):
            return None
        return "widened" if holds(found, declared) else "narrowed"
    if normal(found) == normal(before):
        return None
    if holds(found, before):
        return "widened"
    return "retyped" if holds(found, declared) else "narrowed"


def normal(kind: str) -> tuple[str, tuple[int, ...]]:
    """A type's name and its arguments, whatever the database calls it: ``VARCHAR(50)`` is ``('varchar', (50,))``."""
    kind = re.sub(r"\s+collate\s.*$", "", kind.strip().lower())
    arguments = tuple(int(number) for number in re.findall(r"\d+", "".join(re.findall(r"\([^)]*\)", kind))))
    name = re.sub(r"\s+", " ", re.sub(r"\([^)]*\)", "", kind)).strip()
    name = _NAMES.get(name, name)
    if name == "varchar" and not arguments:
        name = "text"
    if name == "numeric" and len(arguments) == 1:
        arguments = (*arguments, 0)
    return name, arguments if name in ("varchar", "char", "numeric") else ()


def holds(wide: str, narrow: str) -> bool:
    """Whether every value of type ``narrow`` is one of type ``wide``, without loss."""
    (outer, size), (inner, part) = normal(wide), normal(narrow)
    if outer == "text" or (outer, size) == (inner, part):
        return True
    if outer in ("varchar", "char"):
        return inner in ("varchar", "char") and bool(part) and part[0] <= (size or (1,))[0]
    if outer in _CLOCKS and inner in _CLOCKS:
        return _CLOCKS.index(inner) <= _CLOCKS.index(outer)
    return _holds_number(outer, size, inner, part)


def _holds_number(outer: str, size: tuple[int, ...], inner: str, part: tuple[int, ...]) -> bool:
    if inner in _FLOATS:
        return _FLOATS[inner] <= _FLOATS[outer] if outer in _FLOATS else outer == "numeric" and not size
    if inner not in (*_DIGITS, "numeric") or outer not in (*_DIGITS, "numeric", *_FLOATS):
        return False
    whole, scale = _room(inner, part)
    if outer in _FLOATS:
        return whole + scale <= _FLOATS[outer]
    room = _room(outer, size)
    return whole <= room[0] and scale <= room[1]


def _room(name: str, arguments: tuple[int, ...]) -> tuple[int, int]:
    """Digits before and after the point."""
    if name in _DIGITS:
        return _DIGITS[name], 0
    return (arguments[0] - arguments[1], arguments[1]) if arguments else (_MANY, _MANY)


def _same_sort(found: str, declared: str) -> bool:
    """Whether a column of this type is what the declaration means, be it larger or smaller."""
    (name, _), (wanted, _) = normal(found), normal(declared)
    numbers = (*_DIGITS, "numeric", *_FLOATS)
    if wanted == "text":
        return True
    if wanted in ("numeric", "double precision"):
        return name in numbers
    if wanted in _DIGITS:
        return name in _DIGITS
    if wanted in _CLOCKS:
        return name in _CLOCKS
    return name == wanted
