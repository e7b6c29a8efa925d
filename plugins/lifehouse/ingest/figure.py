"""A figure of a load beside what is usual for it."""

from __future__ import annotations

from dataclasses import dataclass

from lifehouse.ingest.bounds import Bounds


@dataclass(frozen=True)
class Figure:
    """One figure of a load as a person reads it (rows, hours, shares, sizes), with its usual range.

    ``severity`` says how far outside it is: critical, warning, info; None for what is usual.
    """

    column: str
    measure: str
    found: float
    bounds: Bounds
    days: int
    basis: str
    severity: str | None
    note: str = ""
