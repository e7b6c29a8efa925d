"""The instants of a backfill: a range in steps, counted in the company's time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lifehouse.errors import ConfigError

_LENGTHS = {"h": "hours", "d": "days", "w": "weeks"}
LIMIT = 5000


def instants(first: datetime, last: datetime, every: str, zone: str) -> list[datetime]:
    """From ``first`` to ``last``, both included where the steps meet them; in UTC.

    Hours are hours. Days, weeks and months keep the time on the wall of ``zone``, when clocks change too; a month
    that lacks the day takes its last.

    :param every: a number and h, d, w or m: ``6h``, ``1d``, ``1w``, ``1m``.
    :raises ConfigError: the step is none of these, the range is empty, or it has more than 5,000 instants.
    """
    step = re.fullmatch(r"([1-9]\d{0,3})([hdwm])", every)
    if step is None:
        raise ConfigError(f"--every {every!r}: use a number and h, d, w or m (months), such as 1d")
    if last < first:
        raise ConfigError(
            f"the range ends ({last:%Y-%m-%d %H:%M} UTC) before it begins ({first:%Y-%m-%d %H:%M} UTC)"
        )
    number, unit = int(step[1]), step[2]
    found: list[datetime] = []
    while (instant := _after(first, number * len(found), unit, ZoneInfo(zone))) <= last:
        found.append(instant)
        if len(found) > LIMIT:
            raise ConfigError(f"more than {LIMIT:,} instants; take longer steps or a shorter range")
    return found


def _after(first: datetime, number: int, unit: str, zone: ZoneInfo) -> datetime:
    if unit == "h":
        return first.astimezone(UTC) + timedelta(hours=number)
    local = first.astimezone(zone)
    if unit == "m":
        return _months_later(local, number).astimezone(UTC)
    return (local + timedelta(**{_LENGTHS[unit]: number})).astimezone(UTC)


def _months_later(local: datetime, number: int) -> datetime:
    year, month = divmod(local.year * 12 + local.month - 1 + number, 12)
    for day in range(local.day, local.day - 4, -1):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError  # no month has fewer than 28 days
