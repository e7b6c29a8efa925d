"""Numbers, times and money as people read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "–"


def count(value: Any) -> str:
    """1,234; an en dash where there is none."""
    return NOTHING if value is None else f"{int(value):,}"


def signed(value: int | None) -> str:
    """+12 or −3; an empty text for nothing."""
    if not value:
        return ""
    return f"+{value:,}" if value > 0 else f"−{-value:,}"


def money(value: Any, currency: str | None = "", *, cents: bool = False) -> str:
    """8,911,408 USD; with ``cents`` 8,911,407.90 USD."""
    if value is None:
        return NOTHING
    text = f"{Decimal(value):,.{2 if cents else 0}f}".replace("-", "−")
    return f"{text} {currency}".strip()


def short(value: Any) -> str:
    """1.2 M, 34.5 k, 670: for cards and axes."""
    number = float(value or 0)
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if abs(number) >= size:
            return (
                f"{number / size:.2f}".rstrip("0").rstrip(".") + unit
                if size > 1e3
                else f"{number / size:.1f}{unit}"
            )
    return f"{number:,.0f}"


def share(value: Any) -> str:
    """0.1234 as 12.3 %."""
    return NOTHING if value is None else f"{float(value) * 100:.1f} %"


def day(value: datetime | None, zone: str) -> str:
    """2017-12-31, in the zone."""
    return NOTHING if value is None else f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


def instant(value: datetime | None, zone: str) -> str:
    """2017-12-31 00:00 EST: to the minute, with the zone's own name."""
    return NOTHING if value is None else f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"


def seconds(value: Any) -> str:
    """0.4 s, 12 s, 3 min 05 s."""
    if value is None:
        return NOTHING
    number = float(value)
    if number < 9.95:
        return f"{number:.1f} s"
    whole = round(number)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02d} s"


def title(name: str) -> str:
    """value_at_risk as Value at risk; crm as CRM."""
    text = name.upper() if len(name) <= 3 else name.replace("_", " ")
    return text[:1].upper() + text[1:]


def segment(name: str) -> str:
    """value_at_risk as Value · at risk: the family's prefix apart."""
    family, _, rest = name.partition("_")
    family = title(family)
    return f"{family} · {rest.replace('_', ' ')}" if rest else family
