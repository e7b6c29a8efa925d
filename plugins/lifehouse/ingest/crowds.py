"""Identifiers that suddenly name a crowd: a great part of a delivery has one and the same e-mail, phone or card.

Identity takes records that share an identifier for one person, so a default in such a column makes one customer of many,
or, beyond identity's cap, leaves many without the identifier. Asked of columns whose values are nearly all distinct: in a
table of events one person has many rows, and always had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from lifehouse.ingest.bounds import CROWDED, Bounds
from lifehouse.ingest.figure import Figure
from lifehouse.ingest.profile import REMEMBERED, identifiers
from lifehouse.ingest.raw import Place

#: As many records of one identifier may be one person, a family or a firm.
CROWD = 20
_DISTINCT = (
    0.25  # at most this share of earlier rows repeats a value: the table is one of people, not of events
)
_MARGIN = 0.1  # above what accepted loads had
#: Kinds that name one person each, whether there is history or not.
_BY_ITSELF = ("email", "phone")

_CROWDS = """
with loads as (
    select loads.load_id = %(load)s as is_found, profiles.load_id, profiles.table_name, profiles.column_name,
        profiles.total as most, profiles.n, shared.total as repeated,
        row_number() over (
            partition by profiles.table_name, profiles.column_name order by profiles.load_id desc
        ) as age
    from control.load_profiles as profiles
    inner join control.loads as loads on profiles.load_id = loads.load_id
    inner join control.load_profiles as shared
        on profiles.load_id = shared.load_id and profiles.table_name = shared.table_name
        and profiles.column_name = shared.column_name and shared.measure = 'shared'
    where profiles.table_name = any(%(tables)s) and profiles.measure = 'crowd' and loads.source = %(source)s
        and (loads.load_id = %(load)s or (loads.status = 'accepted' and loads.load_id < %(load)s))
)
select
    table_name,
    column_name,
    max(most) filter (where is_found) as most,
    max(n) filter (where is_found) as n,
    count(*) filter (where not is_found) as loads,
    sum(repeated) filter (where not is_found) / sum(n) filter (where not is_found) as repeated,
    coalesce(max(most / n) filter (where not is_found and most >= %(crowd)s), 0) as highest
from loads
where age <= %(remembered)s
group by table_name, column_name
having bool_or(is_found)
order by table_name, column_name
"""


def judge(
    connection: psycopg.Connection[Any], places: Sequence[Place], load_id: int
) -> dict[str, list[Figure]]:
    """By table: the share of the load's rows that have the most frequent value, for each identifier that enough rows have."""
    kinds = {place.name: told for place in places if (told := identifiers(place))}
    if not kinds:
        return {}
    names = {
        "load": load_id,
        "source": places[0].source.source,
        "tables": list(kinds),
        "crowd": CROWD,
        "remembered": REMEMBERED,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_CROWDS, names).fetchall()
    figures: dict[str, list[Figure]] = defaultdict(list)
    for row in rows:
        kind = kinds[row["table_name"]].get(row["column_name"])
        if row["n"] >= CROWD and _is_distinct(kind, row["repeated"]):
            figures[row["table_name"]].append(_figure(row))
    return figures


def _is_distinct(kind: str | None, repeated: float | None) -> bool:
    if repeated is None:
        return kind in _BY_ITSELF
    return kind is not None and repeated <= _DISTINCT


def _figure(row: dict[str, Any]) -> Figure:
    found = row["most"] / row["n"]
    warning, critical = (
        max(most, row["highest"] + _MARGIN) for most in (CROWDED.high, CROWDED.critical_high)
    )
    limits = Bounds(0, warning, 0, critical)
    severity = limits.severity(found) if row["most"] >= CROWD else None
    return Figure(row["column_name"], "crowd", found, limits, row["loads"], "all days", severity)
