"""The demo's clock: three nights at midnight in the company's time zone, America/New_York.

The Complete Journey gives times in UTC (its coupon redemptions fall on their baskets' days only when the
baskets are read in New York's time), so midnight there is 05:00 UTC in winter.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")


def midnight(day: date) -> datetime:
    """The instant at which ``day`` begins for the company, in UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


#: The as-of instants that ``make demo`` plays: the first builds history, the others bring what is new.
NIGHTS = (midnight(date(2017, 12, 29)), midnight(date(2017, 12, 30)), midnight(date(2017, 12, 31)))
#: The year that the simulated systems tell of.
BEGIN = midnight(date(2017, 1, 1))
#: From here on the shop holds the whole of The Complete Journey; nothing happens after it.
END = midnight(date(2018, 1, 1))


def instant(value: datetime | date | str) -> datetime:
    """``value`` in UTC: an instant with a zone, or a day (``2017-12-29``), meaning its beginning in New York.

    :raises ValueError: a time without a zone, or text that is neither.
    """
    if isinstance(value, str):
        value = (
            date.fromisoformat(value) if len(value) == len("2017-12-29") else datetime.fromisoformat(value)
        )
    if not isinstance(value, datetime):
        return midnight(value)
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return value.astimezone(UTC)
