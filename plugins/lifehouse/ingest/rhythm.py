"""What is usual for a source: a load is judged against the days that its earlier, accepted loads brought.

Same weekday first, all days if there are too few of it, and the fixed limits alone if there is little history. What a
person accepted in spite of the gate is history, too.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from lifehouse.ingest import crowds, hours, judging
from lifehouse.ingest.bounds import ENOUGH_OF_A_WEEKDAY
from lifehouse.ingest.figure import Figure
from lifehouse.ingest.profile import REMEMBERED, clock_of
from lifehouse.ingest.raw import Place
from lifehouse.ingest.table import TIMES

_FIGURES = Path(__file__).with_name("rhythm.sql").read_text(encoding="utf-8")
_DAYS = Path(__file__).with_name("volume.sql").read_text(encoding="utf-8")
_FEW_OF_A_DAY = 5

_SPANS = """
select profiles.table_name, max(day) as newest, count(distinct day) as days,
    extract(isodow from (array_agg(day order by total desc))[1])::int as weekday
from control.load_profiles as profiles
inner join control.loads using (load_id)
where load_id = %(load)s and measure = 'rows' and day <= timezone(%(zone)s, opened_at)::date + 1
group by profiles.table_name
"""

#: Received rows of loads that have no day of their own: tables without a time, in the order of the loads.
_RECEIVED = """
select table_name, load_id, opened_at, received
from (
    select counts.table_name, loads.load_id, loads.opened_at, counts.received,
        row_number() over (partition by counts.table_name order by loads.load_id desc) as age
    from control.load_tables as counts
    inner join control.loads as loads on counts.load_id = loads.load_id
    where loads.source = %(source)s and counts.table_name = any(%(tables)s)
        and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
) as deliveries
where age <= %(remembered)s
order by table_name, load_id desc
"""

_AGES = """
select table_name, load_id, extract(epoch from opened_at)::float8 - newest as age,
    extract(isodow from timezone(%(zone)s, opened_at))::int as weekday
from (
    select profiles.table_name, loads.load_id, loads.opened_at,
        max(profiles.newest) over (partition by profiles.table_name order by loads.load_id) as newest,
        row_number() over (partition by profiles.table_name order by loads.load_id desc) as number
    from control.loads as loads
    inner join (
        select table_name, load_id, max(total) as newest
        from control.load_profiles
        where table_name = any(%(tables)s) and measure = 'newest'
        group by table_name, load_id
    ) as profiles on loads.load_id = profiles.load_id
    where loads.source = %(source)s
        and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
) as aged
where number <= %(remembered)s
order by table_name, load_id desc
"""

_KEEP = """
insert into control.load_bounds
    (load_id, table_name, column_name, measure, found, low, high, critical_low, critical_high, days, basis)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def judge(
    connection: psycopg.Connection[Any], places: Sequence[Place], load_id: int, zone: str
) -> dict[str, list[Figure]]:
    """By table, every figure of a load that has enough history, kept in ``control.load_bounds``.

    All tables are asked for at once: a source may have many, of which most have little to say.

    :param places: tables of one source. :param zone: the company's time zone.
    """
    if not places:
        return {}
    asked = _Asked(connection, places, load_id, zone)
    parts = [asked.volume(), asked.age(), asked.columns(), crowds.judge(connection, places, load_id)]
    found = {
        place.name: [figure for part in parts for figure in part.get(place.name, [])] for place in places
    }
    connection.execute(
        "delete from control.load_bounds where load_id = %s and table_name = any(%s)", (load_id, list(found))
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            _KEEP, [_row(load_id, table, figure) for table, figures in found.items() for figure in figures]
        )
    return found


@dataclass(frozen=True)
class _Asked:
    """What a load's tables are held against."""

    connection: psycopg.Connection[Any]
    places: Sequence[Place]
    load_id: int
    zone: str

    @cached_property
    def spans(self) -> dict[str, dict[str, Any]]:
        """By table with rows in the load: its newest day, how many days it has, the weekday of the fullest."""
        return {row["table_name"]: row for row in self.rows(_SPANS)}

    @property
    def clocked(self) -> list[str]:
        source = self.places[0].source
        return [name for name in source.tables if clock_of(Place(source, name))]

    def rows(self, query: str, **names: Any) -> list[dict[str, Any]]:
        given = {
            "load": self.load_id,
            "source": self.places[0].source.source,
            "zone": self.zone,
            "remembered": REMEMBERED,
            **names,
        }
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, given).fetchall()

    def by_table(self, query: str, **names: Any) -> dict[str, list[dict[str, Any]]]:
        grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows(query, **names):
            grouped[row.pop("table_name")].append(row)
        return grouped

    def columns(self) -> dict[str, list[Figure]]:
        """Figures of the load's values. A load with more days than are known is not judged: it is itself the history."""
        spans = {place.name: self.spans[place.name] for place in self.places if place.name in self.spans}
        if not spans:
            return {}
        newest = {table: span["newest"] for table, span in spans.items()}
        self.connection.execute(
            "set local enable_nestloop = off"
        )  # of what it makes itself nobody knows the size
        found = self.by_table(
            _FIGURES,
            tables=list(spans),
            newest=list(newest.values()),
            weekdays=[span["weekday"] for span in spans.values()],
            few=_FEW_OF_A_DAY,
            enough_of_a_weekday=ENOUGH_OF_A_WEEKDAY,
        )
        self.connection.execute("set local enable_nestloop = on")
        moved = hours.judge(self.connection, self.places[0].source.source, self.load_id, newest)
        return {
            table: [
                *(figure for row in found.get(table, []) if (figure := judging.of_values(row, span["days"]))),
                *moved.get(table, []),
            ]
            for table, span in spans.items()
        }

    def volume(self) -> dict[str, list[Figure]]:
        judged = [place for place in self.places if place.table.volume.history]
        clocked = self.clocked
        timeless = [place for place in judged if place.name not in clocked and place.table.whole]
        return self._by_day([place for place in judged if place.name in clocked]) | self._received(timeless)

    def _by_day(self, judged: list[Place]) -> dict[str, list[Figure]]:
        reached = [span["newest"] for table, span in self.spans.items() if table in self.clocked]
        if not judged or not reached:
            return {}
        reach = max(reached)
        days = self.by_table(
            _DAYS,
            tables=[place.name for place in judged],
            replaces=[getattr(place.table, "replaces", None) is not None for place in judged],
            clocked=self.clocked,
            reach=reach,
        )
        return {place.name: judging.of_days(place, days.get(place.name, []), reach) for place in judged}

    def _received(self, judged: list[Place]) -> dict[str, list[Figure]]:
        """Rows of a delivery as a whole, for tables that are read whole and have no time of their own."""
        if not judged:
            return {}
        found = self.by_table(_RECEIVED, tables=[place.name for place in judged])
        figures = {}
        for place in judged:
            rows = found.get(place.name)
            if rows and rows[0]["load_id"] == self.load_id:
                counts = [(row["opened_at"].isoweekday(), math.log1p(row["received"])) for row in rows]
                factor, n = place.table.volume.factor, rows[0]["received"]
                figures[place.name] = judging.of_loads("rows", counts, factor, n=n)
        return figures

    def age(self) -> dict[str, list[Figure]]:
        """How old the newest record is when the load comes in, in hours; young is never wrong."""
        factors = {
            place.name: freshness.factor
            for place in self.places
            if (freshness := place.table.freshness)
            and freshness.history
            and place.table.columns[freshness.column].base_type in TIMES
        }
        if not factors:
            return {}
        figures = {}
        for table, rows in self.by_table(_AGES, tables=list(factors)).items():
            if rows[0]["load_id"] == self.load_id:
                ages = [(row["weekday"], math.log1p(max(row["age"], 0) / 3600)) for row in rows]
                figures[table] = judging.of_loads("age", ages, factors[table], n=1)
        return figures


def _row(load_id: int, table: str, figure: Figure) -> tuple[Any, ...]:
    limits = (figure.found, *vars(figure.bounds).values())
    return (load_id, table, figure.column, figure.measure, *limits, figure.days, figure.basis)
