"""Quiet hours of a sync: when nothing is added or changed, by the clock of one time zone. Removals are always sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, model_validator

from lifehouse import config

_FORM = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")


def _parse(value: Any) -> Any:
    if isinstance(value, int) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)  # YAML reads 21:00 as a number to the base of 60
    match = _FORM.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is no time of day; write e.g. 21:00")
    return time(int(match[1]), int(match[2]))


Clock = Annotated[time, BeforeValidator(_parse)]


@cache
def zones() -> dict[str, ZoneInfo]:
    """Every time zone that is known by its IANA name."""
    return {name: ZoneInfo(name) for name in sorted(available_timezones())}


class QuietHours(config.Strict):
    """From ``begin`` to ``end``, over midnight if that is earlier."""

    begin: Clock
    end: Clock
    time_zone: str | None = None
    zone_column: str | None = Field(
        default=None,
        description="of marts.customers: each one's own time zone (IANA), whose clock counts instead where it is known",
    )

    @model_validator(mode="after")
    def _is_a_span(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("begin and end are the same; to send nothing, pause the sync's DAG")
        try:
            ZoneInfo(self.time_zone or "UTC")
        except (KeyError, ValueError):
            raise ValueError(
                f"unknown time zone {self.time_zone!r}; use an IANA name such as Europe/Berlin"
            ) from None
        return self

    def until(self, now: datetime, default_zone: str) -> datetime | None:
        """When the quiet hours that hold at ``now`` end (UTC); None outside of them."""
        return self._until(now, ZoneInfo(self.time_zone or default_zone))

    def asleep(self, now: datetime) -> dict[str, datetime]:
        """The time zones of the world whose clocks say that it is quiet at ``now``, each with when that ends (UTC)."""
        ends = {name: self._until(now, zone) for name, zone in zones().items()}
        return {name: end for name, end in ends.items() if end}

    def _until(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        local = now.astimezone(zone)
        clock = local.time().replace(second=0, microsecond=0)
        is_late = clock >= self.begin
        if self.begin < self.end:
            is_inside, days = is_late and clock < self.end, 0
        else:
            is_inside, days = is_late or clock < self.end, int(is_late)
        if not is_inside:
            return None
        ends = datetime.combine(local.date() + timedelta(days=days), self.end, zone)
        return ends.astimezone(UTC)
