"""Which Postgres type a column of text values fits: the narrowest that holds every value seen."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?")
_FLOAT_ID = re.compile(r"[1-9]\d*\.0")
_COMPACT_DATE = re.compile(r"(19|20)\d{6}")
_BOOLEAN = frozenset({"true", "false", "t", "f", "yes", "no"})
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?")
_ISO_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(Z|[-+]\d{2}:?\d{2}|[-+]\d{2})")

#: Other ways to write a date: (for Python, for Postgres' to_timestamp). Day before month first: it is the more common.
_FORMATS = tuple(
    (day + time, pg_day + pg_time)
    for day, pg_day in (
        ("%d/%m/%Y", "DD/MM/YYYY"),
        ("%m/%d/%Y", "MM/DD/YYYY"),
        ("%d.%m.%Y", "DD.MM.YYYY"),
        ("%d-%m-%Y", "DD-MM-YYYY"),
        ("%Y/%m/%d", "YYYY/MM/DD"),
        ("%Y%m%d", "YYYYMMDD"),
    )
    for time, pg_time in (("", ""), (" %H:%M", " HH24:MI"), (" %H:%M:%S", " HH24:MI:SS"))
)


class Fit(NamedTuple):
    """A Postgres type, and how its text is written where that is unusual."""

    name: str
    float_ids: bool = False
    date_format: str = ""


def of(values: list[str]) -> Fit:  # noqa: PLR0911 - one return a type
    """The type of the non-empty ``values``; text where there are none."""
    if not values:
        return Fit("text")
    if all(map(_FLOAT_ID.fullmatch, values)):
        return Fit("text", float_ids=True)
    if all(map(_COMPACT_DATE.fullmatch, values)) and _date_format(values):
        return Fit("text", date_format=_date_format(values))
    if all(map(_INTEGER.fullmatch, values)):
        return Fit("bigint")
    if all(map(_DECIMAL.fullmatch, values)):
        leading_zero = any(value.startswith("0") and value.isdigit() and len(value) > 1 for value in values)
        return Fit("text" if leading_zero else "numeric")
    if all(value.lower() in _BOOLEAN for value in values):
        return Fit("boolean")
    if all(map(_ISO_DATE.fullmatch, values)):
        return Fit("date")
    if all(map(_ISO_TIME.fullmatch, values)):
        return Fit("timestamp")
    if all(map(_ISO_ZONED.fullmatch, values)):
        return Fit("timestamptz")
    return Fit("text", date_format=_date_format(values))


def looks_like_data(text: str) -> bool:
    """Whether a header's cell is a number or a date, and so no name."""
    return bool(_DECIMAL.fullmatch(text) or _ISO_DATE.match(text))


def _date_format(values: list[str]) -> str:
    """The one format that all values have; '' where there is none."""
    for python, postgres in _FORMATS:
        if len(values[0]) in range(8, 20) and all(_parses(value, python) for value in values):
            return postgres
    return ""


def _parses(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only whether it parses
    except ValueError:
        return False
    return True
