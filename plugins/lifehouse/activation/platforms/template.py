"""Placeholders in a platform's declaration: ``{name}`` in any text, ``{name|filter|filter}`` for another form of it.

A text that is one placeholder alone becomes the value itself, an object or a number too; otherwise values are put into the
text. A mapping with the one key ``each`` becomes a list, with what stands below it once for every row. What stands under
the key ``...`` is put into the mapping around it, of a list each item. Tables: ``names`` becomes the list of the columns
that the mapping below it has in any row, ``lines`` a list of its values for every row. ``apart`` becomes a list of one
mapping a key, without those that are not complete; ``together`` one text of a list's texts, and of those in lists within.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*(?:\.[A-Za-z0-9_]+)?)((?:\|[a-z0-9]+)*)\}")
_OPTION = re.compile(r"('?)\{options\.([a-z_][a-z0-9_]*)\}\1")
_EACH, _NAMES, _LINES, _APART, _TOGETHER = "each", "names", "lines", "apart", "together"
_OF_ROWS = ({_EACH}, {_NAMES}, {_LINES})
_SPREAD = "..."


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text(item) for name, item in value.items()}
    return "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)


def _nested(value: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` as ``{"a": {"b": 1}}``."""
    found: dict[str, Any] = {}
    for name, item in value.items():
        first, *rest = name.split(".")
        inner = item
        for part in reversed(rest):
            inner = {part: inner}
        _merge(found, {first: inner})
    return found


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for name, item in other.items():
        if isinstance(item, dict) and isinstance(into.get(name), dict):
            _merge(into[name], item)
        else:
            into[name] = item


#: What may stand after the bar.
FILTERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "lower": lambda value: str(value).lower(),
    "md5": lambda value: hashlib.md5(str(value).lower().encode(), usedforsecurity=False).hexdigest(),
    "serial": lambda value: int(hashlib.sha256(str(value).encode()).hexdigest()[:13], 16),
    "number": lambda value: float(value) if "." in str(value) else int(value),
    "nested": _nested,
    "filled": lambda value: {name: item for name, item in value.items() if item is not None},
}


def fill(shape: Any, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()) -> Any:
    """``shape`` with every placeholder filled in.

    :param rows: what ``each`` is repeated for: values of their own, beside the common ones.
    :raises KeyError: nothing is called so.
    """
    if isinstance(shape, str):
        return _fill_text(shape, values)
    if isinstance(shape, list):
        return [fill(item, values, rows) for item in shape]
    return _fill_mapping(shape, values, rows) if isinstance(shape, dict) else shape


def _fill_mapping(
    shape: Mapping[str, Any], values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Any:
    if shape.keys() == {_EACH}:
        return [fill(shape[_EACH], {**values, **row}) for row in rows]
    if shape.keys() in ({_NAMES}, {_LINES}):
        (which,) = shape
        return table(shape[which], values, rows)[which == _LINES]
    if shape.keys() == {_APART}:
        found = fill(shape[_APART], values, rows)
        return [{name: item} for name, item in found.items() if _is_complete(item)]
    if shape.keys() == {_TOGETHER}:
        return _together(fill(shape[_TOGETHER], values, rows))
    made: dict[str, Any] = {}
    for name, item in shape.items():
        value = fill(item, values, rows)
        for part in value if name == _SPREAD and isinstance(value, list) else [value]:
            _merge(made, part if name == _SPREAD else {str(_fill_text(name, values)): part})
    return made


def _together(value: Any) -> str:
    return "".join(map(_together, value)) if isinstance(value, list) else str(_text(value))


def table(
    shape: Any, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[list[Any]]]:
    """The columns of ``shape``, filled in for every row, and the lines; what a row lacks is empty text in its line."""
    made = [fill(shape, {**values, **row}) for row in rows]
    columns = list(dict.fromkeys(name for line in made for name in line))
    return columns, [[line.get(name, "") for name in columns] for line in made]


def _is_complete(value: Any) -> bool:
    return all(map(_is_complete, value.values())) if isinstance(value, dict) else value not in (None, "")


def fill_path(path: str, values: Mapping[str, Any]) -> str:
    """A path; what is put in is quoted, so that it stays one part of it."""
    return _PLACE.sub(lambda match: quote(str(_value(match, values)), safe=""), path)


def named(expression: str, values: Mapping[str, Any]) -> str:
    """A JMESPath expression whose ``{options.NAME}`` are the names that the options say, and ``'{options.NAME}'`` the texts."""

    def said(match: re.Match[str]) -> str:
        told = json.dumps(str(values.get("options", {}).get(match[2], match[2])))
        return "`" + told.replace("`", "\\`") + "`" if match[1] else told

    return _OPTION.sub(said, expression)


def has_each(shape: Any) -> bool:
    if isinstance(shape, dict):
        return shape.keys() in _OF_ROWS or any(map(has_each, shape.values()))
    return isinstance(shape, list) and any(map(has_each, shape))


def texts(shape: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text below ``shape``, with its place."""
    if isinstance(shape, str):
        yield where, shape
    items = (
        shape.items()
        if isinstance(shape, dict)
        else enumerate(shape)
        if isinstance(shape, list | tuple)
        else ()
    )
    for name, item in items:
        if isinstance(name, str) and _PLACE.search(name):
            yield where, name
        yield from texts(item, f"{where}.{name}" if where else str(name))


def names(text: str) -> list[str]:
    """The placeholders of a text.

    :raises ValueError: a filter is unknown.
    """
    for match in _PLACE.finditer(text):
        for name in _filters(match):
            if name not in FILTERS:
                raise ValueError(f"{match[0]}: there is no filter {name!r}; there are {', '.join(FILTERS)}")
    return [match[1] for match in _PLACE.finditer(text)]


def _fill_text(text: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACE.fullmatch(text)
    if whole:
        return _value(whole, values)
    return _PLACE.sub(lambda match: str(_text(_value(match, values))), text)


def _value(match: re.Match[str], values: Mapping[str, Any]) -> Any:
    head, _, tail = match[1].partition(".")
    value = values[head]
    if tail:
        value = value[tail]
    for name in _filters(match):
        value = FILTERS[name](value)
    return value


def _filters(match: re.Match[str]) -> list[str]:
    return match[2].split("|")[1:]
