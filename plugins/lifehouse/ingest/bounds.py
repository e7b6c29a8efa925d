"""Robust bounds: how far from the usual a figure may be. Median and MAD of a source's own history, and nothing else.

The usual value is the median; the spread is 1.4826 times the median absolute deviation (equal to the standard deviation
for normal data), joined with the noise that so few rows have anyway. Bounds never lie inside what history has held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: A figure rests on at least so many days (or loads) of history; on fewer, only the fixed limits judge.
ENOUGH = 10
#: So many days of one weekday are enough to speak for that weekday.
ENOUGH_OF_A_WEEKDAY = 6
_CONSISTENT = 1.4826  # MAD to standard deviation
_CLUSTER = 4  # rows come in groups (an order's lines): so many count as one
_WARNING = 4.5  # spreads
_ANY_DAY = 1.4  # so much wider where days of all kinds are taken together


@dataclass(frozen=True)
class Scale:
    """How a kind of figure varies.

    ``warning`` and ``critical`` are the least half-widths of the bounds; ``noise`` is the deviation of a single row;
    ``is_log`` says that figures are natural logarithms, so that bounds are factors; ``far``: so many spreads are critical.
    """

    warning: float
    critical: float
    noise: float
    is_log: bool = False
    far: float = 6.5
    least: float | None = None


SIZE = Scale(0.3, 0.5, 1.0, is_log=True, far=8)
ROWS = Scale(0.4, 0.55, 0.5, is_log=True, far=5.5)
AGE = Scale(1.1, 1.8, 0.0, is_log=True)
SHARE = Scale(0.25, 0.35, 0.0, least=0.01)
RARE = Scale(0.01, 0.03, 0.0, least=0.0001)
REPEATED = Scale(0.04, 0.06, 0.0, least=0.0001)
MIX = Scale(0.06, 0.1, 0.29)

#: The scale of each measure of :mod:`lifehouse.ingest.profile`; ``is ...`` are shares.
SCALES = {
    "rows": ROWS, "age": AGE, "size": SIZE, "mean": SIZE, "length": SIZE, "mix": MIX,
    "garbled": RARE, "misshapen": RARE, "repeated": REPEATED,
}  # fmt: skip


def scale_of(measure: str) -> Scale:
    """The scale of a measure; what is not listed is a share."""
    return SCALES.get(measure, SHARE)


@dataclass(frozen=True)
class History:
    """What a figure was on earlier days, on its scale: median, median absolute deviation, extremes, number of days."""

    median: float
    mad: float
    lowest: float
    highest: float
    days: int
    basis: str = "all days"  # or: same weekday


@dataclass(frozen=True)
class Bounds:
    """The usual range, and the range beyond which the gate closes; on the figure's scale."""

    low: float
    high: float
    critical_low: float
    critical_high: float

    def severity(self, found: float) -> str | None:
        """critical, warning, or None for what is usual."""
        if not self.critical_low <= found <= self.critical_high:
            return "critical"
        return None if self.low <= found <= self.high else "warning"


#: Shares that are never usual, where no history says that this source has such values: texts that look like an
#: encoding gone wrong, and e-mail addresses and phone numbers that are none.
WITHOUT_HISTORY = {"garbled": Bounds(0, 0.02, 0, 0.1), "misshapen": Bounds(0, 0.1, 0, 0.25)}
#: The share of a load's rows that have one and the same e-mail, phone or card.
CROWDED = Bounds(0, 0.1, 0, 0.3)


def bounds(history: History, scale: Scale, n: float, factor: float = 1, noise: float = 0) -> Bounds:
    """The bounds of a figure over ``n`` rows.

    :param factor: of a declaration that wants them wider or narrower. :param noise: the figure's own standard error,
        where it is known: one record that outweighs all others makes a mean uncertain, not wrong.
    """
    spread = math.hypot(_CONSISTENT * history.mad, _noise(history.median, scale, n), noise)
    spread *= (1 + 4 / history.days) * (_ANY_DAY if history.basis == "all days" else 1)
    warning = max(_WARNING * spread, scale.warning) * factor
    critical = max(scale.far * spread, scale.critical) * factor
    margin = scale.warning / 4, scale.critical / 3
    return Bounds(
        min(history.median - warning, history.lowest - margin[0]),
        max(history.median + warning, history.highest + margin[0]),
        min(history.median - critical, history.lowest - margin[1]),
        max(history.median + critical, history.highest + margin[1]),
    )


def _noise(usual: float, scale: Scale, n: float) -> float:
    if scale.least is not None:
        usual = min(max(usual, 0.0), 1.0)
        return math.sqrt(max(usual * (1 - usual), scale.least) * _CLUSTER / max(n, 1))
    return scale.noise * math.sqrt(_CLUSTER / max(n, 1))
