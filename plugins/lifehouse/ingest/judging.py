"""Figures of a load held against what is usual: pure functions of its history, without a question to the database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Any

from lifehouse.ingest import volume
from lifehouse.ingest.bounds import (
    AGE,
    ENOUGH,
    ENOUGH_OF_A_WEEKDAY,
    ROWS,
    WITHOUT_HISTORY,
    Bounds,
    History,
    bounds,
    scale_of,
)
from lifehouse.ingest.figure import Figure
from lifehouse.ingest.raw import Place

_FEW = 20  # rows of a load say too little


def of_values(row: dict[str, Any], days: int) -> Figure | None:
    """A figure of a column; ``days`` has the load."""
    scale = scale_of(row["measure"])
    basis = "same weekday" if row["is_weekday"] else "all days"
    is_known = row["days"] >= ENOUGH or row["is_weekday"]
    if row["n"] < _FEW:
        return None
    if is_known and days <= row["days"]:
        history = History(row["median"], row["mad"], row["lowest"], row["highest"], row["days"], basis)
        noise = (
            2 / row["n"] if row["measure"] == "repeated" else 2 * row["noise"]
        )  # a few twins are no matter
        limits = bounds(history, scale, float(row["n"]), noise=noise)
    elif not is_known and row["measure"] in WITHOUT_HISTORY:
        limits = WITHOUT_HISTORY[row["measure"]]
    else:
        return None
    severity = limits.severity(row["found"])
    found = row["found"]
    if scale.is_log:
        found, limits = math.exp(found), _exp(limits)
    return Figure(row["column_name"], row["measure"], found, limits, row["days"], basis, severity)


def of_days(place: Place, days: list[dict[str, Any]], reach: date) -> list[Figure]:
    """The rows of the days that the load completes, and the days that are lost."""
    declared = place.table.volume
    known = [_plain(volume.Day(**day)) for day in days]
    rows = volume.judge(known, reach, declared.factor, declared.closed)
    if rows is None:
        return []
    figures = []
    if rows.lost:
        figures.append(_lost(rows))
    if rows.bounds is not None:
        severity = rows.bounds.severity(rows.found)
        figures.append(Figure("", "rows", rows.found, rows.bounds, rows.days, rows.basis, severity))
    return figures


def _lost(rows: volume.Rows) -> Figure:
    """Days without a row. Where the whole source was silent it may have been closed: that is said, and no more."""
    severity = "critical" if rows.is_lost_alone else "info" if rows.closes_at_times else "warning"
    listed = ", ".join(map(date.isoformat, rows.lost[:7])) + (" ..." if len(rows.lost) > 7 else "")
    note = f"there is no row of {listed}; usual are {rows.usual_of_a_lost_day:,.0f}"
    return Figure("", "lost days", len(rows.lost), Bounds(0, 0, 0, 0), rows.days, rows.basis, severity, note)


def of_loads(measure: str, of_loads: Sequence[tuple[int, float]], factor: float, *, n: float) -> list[Figure]:
    """A figure that each load has once, on a log scale (of 1 + the figure).

    :param of_loads: weekday and figure, the newest load's first, which is judged by the others.
    """
    (weekday, found), *history = of_loads
    same = [value for theirs, value in history if theirs == weekday]
    is_weekday = len(same) >= ENOUGH_OF_A_WEEKDAY
    values = same if is_weekday else [value for _, value in history]
    if not is_weekday and len(values) < ENOUGH:
        return []
    middle = median(values)
    mad = median(abs(value - middle) for value in values)
    basis = "same weekday" if is_weekday else "all days"
    usual = History(middle, mad, min(values), max(values), len(values), basis)
    limits = bounds(usual, AGE if measure == "age" else ROWS, n, factor)
    if measure == "age":
        limits = Bounds(0, limits.high, 0, limits.critical_high)
    shown = Bounds(*(math.expm1(max(value, 0)) for value in vars(limits).values()))
    severity = limits.severity(found)
    return [Figure("", measure, math.expm1(found), shown, len(values), basis, severity)]


def _plain(day: volume.Day) -> volume.Day:
    numbers = {name: float(value) for name, value in vars(day).items() if name != "day" and value is not None}
    return volume.Day(day.day, **numbers)


def _exp(limits: Bounds) -> Bounds:
    return Bounds(*(math.exp(min(value, 700)) for value in vars(limits).values()))
