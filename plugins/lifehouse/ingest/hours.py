"""A clock that is hours off: a load's times of day look like those of earlier days, only earlier or later.

Two explanations of how a day's rows fall on the hours are weighed by their likelihood, against the hours of earlier days:
that all times are moved by the same number of hours, and that the shop opened later, closed earlier or wrote everything in
one batch. A holiday is not a shifted time zone; so both count, and only the first is an alarm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate
from math import log
from typing import Any

import psycopg

from lifehouse.ingest.bounds import ENOUGH, Bounds
from lifehouse.ingest.figure import Figure
from lifehouse.ingest.profile import HOUR, REMEMBERED

#: Rows of one day that count: beyond, days differ from one another by more than chance.
_MOST = 100
#: Natural logarithms of likelihood ratios. Against no shift at all: by chance, one load in 150,000: 21 shifts, exp(-15).
_CLEAR = 15.0
#: Against other opening hours.
_BETTER = 2.5
_LEAST = 2  # hours; the clocks of a zone change by one twice a year
_FEW = 20  # rows say too little
_HOURS = range(24)
Hours = Sequence[float]

_AS_USUAL = Bounds(1 - _LEAST, _LEAST - 1, 1 - _LEAST, _LEAST - 1)

_COUNTED = """
select profiles.table_name, profiles.column_name, profiles.load_id = %(load)s as is_found, profiles.day,
    right(profiles.measure, 2)::int as hour, sum(profiles.total)
from control.load_profiles as profiles
inner join control.loads as loads using (load_id)
inner join unnest(%(tables)s::text[], %(newest)s::date[]) as spans (table_name, newest)
    on profiles.table_name = spans.table_name
where loads.source = %(source)s and profiles.measure like %(hours)s
    and profiles.day > spans.newest - %(remembered)s::int
    and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
group by 1, 2, 3, 4, 5
"""


def judge(
    connection: psycopg.Connection[Any], source: str, load_id: int, newest: Mapping[str, date]
) -> dict[str, list[Figure]]:
    """By table, for each time column of the load: by how many hours its times of day are moved, usually 0.

    A load with more days than are known is itself the history.

    :param newest: the newest day that each table has in the load.
    """
    names = {"load": load_id, "source": source, "hours": f"{HOUR}%", "remembered": REMEMBERED}
    spans = {"tables": list(newest), "newest": list(newest.values())}
    counted: dict[tuple[str, str, bool], dict[date, list[float]]] = defaultdict(
        lambda: defaultdict(lambda: [0.0] * 24)
    )
    for table, column, is_found, day, hour, count in connection.execute(_COUNTED, {**names, **spans}):
        counted[table, column, is_found][day][hour] += count
    figures: dict[str, list[Figure]] = defaultdict(list)
    for table, column in sorted({(table, column) for table, column, is_found in counted if is_found}):
        found, before = counted[table, column, True], counted[table, column, False]
        hours = [sum(each) for each in zip(*found.values(), strict=True)]
        if sum(hours) < _FEW or len(before) < max(ENOUGH, len(found)):
            continue
        moved = shift(hours, list(before.values()))
        which = "later" if moved > 0 else "earlier"
        note = (
            f"times of day are like those of earlier days, about {abs(moved)} hours {which}" if moved else ""
        )
        severity = "critical" if moved else None
        figures[table].append(
            Figure(column, "hour", moved, _AS_USUAL, len(before), "all days", severity, note)
        )
    return figures


def shift(found: Hours, days: Sequence[Hours]) -> int:
    """By how many hours ``found`` lies after (positive) or before the hours of the earlier ``days``; 0 is as usual.

    :param found: rows by hour of the day. :param days: the same of each earlier day.
    """
    total = [sum(hours) for hours in zip(*days, strict=True)]
    if not sum(found) or not sum(total):
        return 0
    moved, better = _moved(found, total)
    if not moved or better < _BETTER:
        return 0
    for day in days:  # what was there before is not unusual, for example a weekday that is unlike the others
        others = [all_days - one for all_days, one in zip(total, day, strict=True)]
        if sum(day) and sum(others):
            before, by = _moved(day, others)
            if before and abs(before - moved) <= _LEAST and better < by + _BETTER:
                return 0
    return moved


def _moved(found: Hours, usual: Hours) -> tuple[int, float]:
    """The best shift, 0 if none is clear, and how much better it explains the hours than opening hours do."""
    weight = min(1.0, _MOST / sum(found))
    rows = [count * weight for count in found]
    shares = [(count + 0.5) / (sum(usual) + 12) for count in usual]
    logs = [log(share) for share in shares]

    def of_shift(hours: int) -> float:
        return sum(rows[hour] * logs[(hour - hours) % 24] for hour in _HOURS)

    best, hours = max((of_shift(hours), hours) for hours in range(_LEAST, 25 - _LEAST))
    if best - of_shift(0) < _CLEAR:
        return 0, 0.0
    return (hours if hours <= 12 else hours - 24), best - max(of_shift(0), _opening_hours(rows, shares))


def _opening_hours(rows: Hours, shares: Hours) -> float:
    """The log likelihood of the rows under the best opening hours: inside them all is as usual, outside them little happens."""
    inside, terms, all_rows = (
        _sums(rows),
        _sums([n * log(p) for n, p in zip(rows, shares, strict=True)]),
        sum(rows),
    )
    likely = _sums(shares)

    def of(first: int, hours: int) -> float:
        n, p = (sums[first + hours] - sums[first] for sums in (inside, likely))
        out = max(all_rows - n, 0.5) / (all_rows + 1)
        term = terms[24] - n * log(p / (1 - out)) - (all_rows - n) * log((1 - p) / out)
        return term if n else float("-inf")

    return max(of(first, hours) for first in _HOURS for hours in range(1, 24))


def _sums(values: Hours) -> list[float]:
    """Running sums over two days, so that hours may pass midnight."""
    return [0.0, *accumulate([*values, *values])]
