"""Quiet hours of a sync: when nothing is added or changed, by the clock of one time zone. Removals are always sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, model_validator

from lifehouse import config
from lifehouse.spelling import did_you_mean

_FORM = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")


def _parse(value: Any) -> Any:
    if isinstance(value, int) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)  # YAML reads 21:00 as a number to the base of 60
    match = _FORM.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is no time of day; write e.g. 21:00")
    return time(int(match[1]), int(match[2]))


Clock = Annotated[time, BeforeValidator(_parse)]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


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
    zones: dict[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]] = Field(
        default_factory=dict,
        description="what else stands in zone_column, a country say: its time zone, or several, in all of which it must be day",
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
        if self.zones and self.zone_column is None:
            raise ValueError("zones: say in which column these stand: zone_column")
        for place, names in self.zones.items():
            for name in names:
                if name not in zones():
                    raise ValueError(
                        f"zones: {place}: unknown time zone {name!r}{did_you_mean(name, zones())}"
                    )
        return self

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """What may stand in ``zone_column``, and the time zones that it means."""
        return {**{name: (name,) for name in zones()}, **self.zones}

    def until(self, now: datetime, default_zone: str) -> datetime | None:
        """When the quiet hours that hold at ``now`` end (UTC); None outside of them."""
        return self._until(now, ZoneInfo(self.time_zone or default_zone))

    def asleep(self, now: datetime) -> dict[str, datetime]:
        """The places where it is quiet at ``now`` by one of their clocks, each with when that ends by the last (UTC)."""
        ends = {name: end for name, zone in zones().items() if (end := self._until(now, zone))}
        quiet = {
            place: [ends[name] for name in names if name in ends] for place, names in self.places.items()
        }
        return {place: max(found) for place, found in quiet.items() if found}

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
