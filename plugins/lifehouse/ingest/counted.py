"""What was counted of a load, table by table: the figures that the raw gate judges beside those held against history."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psycopg
from psycopg import sql

from lifehouse.ingest.drift import CLOSING, NOTED
from lifehouse.ingest.raw import Place

_COUNTED = """
select counts.table_name, told.name, told.figure
from control.load_tables as counts
cross join lateral (
    values
    ('received', counts.received::float8),
    ('unaccounted', (counts.loaded + counts.unchanged + counts.quarantined - counts.received)::float8),
    ('quarantined_share', counts.quarantined::float8 / greatest(counts.received, 1))
) as told (name, figure)
where counts.load_id = %(load)s
union all
select table_name, kind || '_columns', count(*)
from control.schema_changes
where load_id = %(load)s
group by table_name, kind
union all
select table_name, measure, sum(total)
from control.load_profiles
where load_id = %(load)s and day is null
group by table_name, measure
"""

_AGE = """
select coalesce(extract(epoch from loads.opened_at - newest.at), 1e12)::float8
from control.loads as loads
cross join (
    select max(records.{column})::timestamptz as at
    from {raw} as records
    inner join control.loads as theirs on records._load_id = theirs.load_id
    where theirs.status = 'accepted' or theirs.load_id = %(load)s
) as newest
where loads.load_id = %(load)s
"""


def of_load(connection: psycopg.Connection[Any], load_id: int) -> dict[str, dict[str, float]]:
    """By table and name: rows received, the part not accounted for, the share quarantined, changes of shape by kind,
    and, of what was profiled, how many rows break each rule and how many keys are there twice.
    """
    found: dict[str, dict[str, float]] = defaultdict(
        lambda: {f"{kind}_columns": 0.0 for kind in (*CLOSING, *NOTED)}
    )
    for table, name, figure in connection.execute(_COUNTED, {"load": load_id}):
        found[table][name] = float(figure)
    return found


def age(connection: psycopg.Connection[Any], place: Place, load_id: int) -> dict[str, float]:
    """Seconds from the newest record that is accepted or in this load to the load's opening; nothing without freshness."""
    if not place.table.freshness:
        return {}
    query = sql.SQL(_AGE).format(column=sql.Identifier(place.table.freshness.column), raw=place.raw)
    row = connection.execute(query, {"load": load_id}).fetchone()
    return {"age_seconds": float(row[0])} if row else {}
