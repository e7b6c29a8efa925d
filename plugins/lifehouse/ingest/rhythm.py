"""What is usual for a source: a load is judged against the days that its earlier, accepted loads brought.

Same weekday first, all days if there are too few of it, and the fixed limits alone if there is little history. What a
person accepted in spite of the gate is history, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg.rows import dict_row

from lifehouse.ingest import crowds, hours, volume
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
from lifehouse.ingest.profile import REMEMBERED, clock_of
from lifehouse.ingest.raw import Place
from lifehouse.ingest.table import TIMES

_FIGURES = Path(__file__).with_name("rhythm.sql").read_text(encoding="utf-8")
_DAYS = Path(__file__).with_name("volume.sql").read_text(encoding="utf-8")
_FEW = 20  # rows of a load say too little
_FEW_OF_A_DAY = 5

_SPAN = """
select
    max(day) filter (where table_name = any(%(clocked)s)) as reach,
    max(day) filter (where table_name = %(table)s) as newest,
    count(distinct day) filter (where table_name = %(table)s) as days,
    (array_agg(day order by total desc) filter (where table_name = %(table)s))[1] as of
from control.load_profiles
inner join control.loads using (load_id)
where load_id = %(load)s and measure = 'rows' and day <= timezone(%(zone)s, opened_at)::date + 1
"""

#: Received rows of loads that have no day of their own: a table without a time, in the order of the loads.
_RECEIVED = """
select loads.load_id, loads.opened_at, counts.received
from control.load_tables as counts
inner join control.loads as loads on counts.load_id = loads.load_id
where loads.source = %(source)s and counts.table_name = %(table)s
    and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
order by loads.load_id desc
limit %(remembered)s
"""

_AGES = """
select loads.load_id, extract(epoch from loads.opened_at)::float8 - max(profiles.newest) over (order by loads.load_id) as age
from control.loads as loads
inner join (
    select load_id, max(total) as newest
    from control.load_profiles
    where table_name = %(table)s and measure = 'newest'
    group by load_id
) as profiles on loads.load_id = profiles.load_id
where loads.source = %(source)s
    and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
order by loads.load_id desc
limit %(remembered)s
"""

_KEEP = """
insert into control.load_bounds
    (load_id, table_name, column_name, measure, found, low, high, critical_low, critical_high, days, basis)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def judge(connection: psycopg.Connection[Any], place: Place, load_id: int, zone: str) -> list[Figure]:
    """Every figure of the load's table that has enough history, kept in ``control.load_bounds``.

    :param zone: the company's time zone.
    """
    names = {
        "load": load_id,
        "source": place.source.source,
        "table": place.name,
        "zone": zone,
        "remembered": REMEMBERED,
        "few": _FEW_OF_A_DAY,
        "enough_of_a_weekday": ENOUGH_OF_A_WEEKDAY,
        "replaces": getattr(place.table, "replaces", None) is not None,
        "clocked": [name for name in place.source.tables if clock_of(Place(place.source, name))],
    }
    found = [
        *_volume(connection, place, names),
        *_age(connection, place, names),
        *_columns(connection, place, names),
        *crowds.judge(connection, place, load_id),
    ]
    connection.execute(
        "delete from control.load_bounds where load_id = %s and table_name = %s", (load_id, place.name)
    )
    with connection.cursor() as cursor:
        cursor.executemany(_KEEP, [_row(load_id, place, figure) for figure in found])
    return found


def _columns(connection: psycopg.Connection[Any], place: Place, names: dict[str, Any]) -> list[Figure]:
    """Figures of the load's values. A load with more days than are known is not judged: it is itself the history."""
    (span,) = _rows(connection, _SPAN, names)
    if span["newest"] is None:
        return []
    rows = _rows(
        connection, _FIGURES, {**names, "newest": span["newest"], "weekday": span["of"].isoweekday()}
    )
    judged = []
    for row in rows:
        scale = scale_of(row["measure"])
        basis = "same weekday" if row["is_weekday"] else "all days"
        is_known = row["days"] >= ENOUGH or row["is_weekday"]
        if row["n"] < _FEW:
            continue
        if is_known and span["days"] <= row["days"]:
            history = History(row["median"], row["mad"], row["lowest"], row["highest"], row["days"], basis)
            noise = (
                2 / row["n"] if row["measure"] == "repeated" else 2 * row["noise"]
            )  # a few twins are no matter
            limits = bounds(history, scale, float(row["n"]), noise=noise)
        elif not is_known and row["measure"] in WITHOUT_HISTORY:
            limits = WITHOUT_HISTORY[row["measure"]]
        else:
            continue
        severity = limits.severity(row["found"])
        found = row["found"]
        if scale.is_log:
            found, limits = math.exp(found), _exp(limits)
        judged.append(Figure(row["column_name"], row["measure"], found, limits, row["days"], basis, severity))
    return judged + hours.judge(connection, place, names["load"], span["newest"])


def _volume(connection: psycopg.Connection[Any], place: Place, names: dict[str, Any]) -> list[Figure]:
    declared = place.table.volume
    if not declared.history:
        return []
    if place.name not in names["clocked"]:
        return _received(connection, place, names)
    (span,) = _rows(connection, _SPAN, names)
    if span["reach"] is None:
        return []
    days = [volume.Day(**row) for row in _rows(connection, _DAYS, {**names, "newest": span["reach"]})]
    rows = volume.judge([_plain(day) for day in days], span["reach"], declared.factor, declared.closed)
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


def _received(connection: psycopg.Connection[Any], place: Place, names: dict[str, Any]) -> list[Figure]:
    """Rows of a delivery as a whole, for a table that is read whole and has no time of its own."""
    rows = _rows(connection, _RECEIVED, names)
    if not place.table.whole or not rows or rows[0]["load_id"] != names["load"]:
        return []
    weekday = rows[0]["opened_at"].isoweekday()
    history = [(row["opened_at"].isoweekday(), math.log1p(row["received"])) for row in rows[1:]]
    return _of_loads(
        "rows",
        math.log1p(rows[0]["received"]),
        weekday,
        history,
        place.table.volume.factor,
        n=rows[0]["received"],
    )


def _age(connection: psycopg.Connection[Any], place: Place, names: dict[str, Any]) -> list[Figure]:
    """How old the newest record is when the load comes in, in hours; young is never wrong."""
    freshness = place.table.freshness
    if not freshness or not freshness.history or place.table.columns[freshness.column].base_type not in TIMES:
        return []
    rows = _rows(connection, _AGES, names)
    if not rows or rows[0]["load_id"] != names["load"]:
        return []
    opened = dict(connection.execute(
        "select load_id, extract(isodow from timezone(%s, opened_at))::int from control.loads where load_id = any(%s)",
        (names["zone"], [row["load_id"] for row in rows]),
    ).fetchall())  # fmt: skip
    hours = [(opened[row["load_id"]], math.log1p(max(row["age"], 0) / 3600)) for row in rows]
    return _of_loads("age", hours[0][1], hours[0][0], hours[1:], freshness.factor, n=1)


def _of_loads(
    measure: str, found: float, weekday: int, history: Sequence[tuple[int, float]], factor: float, *, n: float
) -> list[Figure]:
    """A figure that each load has once, on a log scale (of 1 + the figure)."""
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


def _row(load_id: int, place: Place, figure: Figure) -> tuple[Any, ...]:
    limits = (figure.found, *vars(figure.bounds).values())
    return (load_id, place.name, figure.column, figure.measure, *limits, figure.days, figure.basis)


def _rows(connection: psycopg.Connection[Any], query: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, names).fetchall()
