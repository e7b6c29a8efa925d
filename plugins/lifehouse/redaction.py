"""Errors in words that hold no personal value: what a database, a library or a model says, less the data it quotes."""

from __future__ import annotations

import re
from contextlib import suppress

from lifehouse.errors import LifehouseError

LONGEST = 600
#: Lines in which Postgres and dbt quote rows, statements and places.
_TALKATIVE = ("DETAIL", "CONTEXT", "HINT", "QUERY", "STATEMENT", "LINE ", "compiled code at", "^", "COPY ")
#: A quotation mark after one of these words opens the name of a thing; after any other it may open a value.
_NAMING = re.compile(
    r"\b(?:relation|table|column|columns|constraint|schema|database|function|procedure|type|role|user|view|index|sequence|"
    r"trigger|extension|language|operator|collation|cursor|parameter|server|tablespace|aggregate|encoding|option|model|"
    r"savepoint|statement|attribute|rule|policy|named|path|locale|host|at)\s*$",
    re.IGNORECASE,
)
#: Errors that speak about code.
_ABOUT_CODE = (
    ImportError,
    AttributeError,
    TypeError,
    NameError,
    NotImplementedError,
    FileNotFoundError,
    PermissionError,
)


def without_values(message: str | None) -> str:
    """A database's message without the lines that quote a row, and cut where it begins to quote a value."""
    lines = [line.strip() for line in _first_quote_cut(message or "").splitlines()]
    kept = [line for line in lines if line and not line.startswith(_TALKATIVE)]
    return " ".join(kept)[:LONGEST]


def described(error: BaseException) -> str:
    """Any error in words that hold no personal value."""
    if isinstance(error, LifehouseError):
        return str(error)
    name = type(error).__name__
    if isinstance(error, _ABOUT_CODE):
        return f"{name}: {without_values(str(error))}"
    inner = getattr(error, "orig", None) or error
    state = getattr(inner, "sqlstate", None) or getattr(inner, "pgcode", None)
    if state:
        found = getattr(inner, "diag", None)
        parts = (getattr(found, f"{kind}_name", None) for kind in ("schema", "table", "constraint"))
        place = ".".join(str(part) for part in parts if part)
        said = f" at {place}" if place else f": {without_values(getattr(found, 'message_primary', None))}"
        return f"{type(inner).__name__} ({state}){said.removesuffix(': ')}"
    return f"{name}; its text is kept back, since it may hold values of customers"


def _first_quote_cut(text: str) -> str:
    """``text`` up to the first quotation mark that may open a value; such a value may hold marks and line ends itself."""
    for line_start in ("\nDETAIL", "\nCONTEXT", "\n  DETAIL", "\n  CONTEXT"):
        text = text.partition(line_start)[0]
    position = 0
    while (opening := text.find('"', position)) >= 0:
        with suppress(ValueError):
            if _NAMING.search(text[:opening]):
                position = text.index('"', opening + 1) + 1
                continue
        return text[:opening] + "‹value›"
    return text
