"""Records in = loaded + unchanged + quarantined, for every load that the run is the first to show."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate, Delivery
from lifehouse.releases.expectation import Rule, none

TABLES = ("control.load_tables",)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    if not candidate.deliveries:
        return []
    kept = "(" + " union all ".join(_kept(delivery) for delivery in candidate.deliveries) + ") as kept"
    return [
        none(
            "records accounted for",
            kept,
            "received <> loaded + unchanged + quarantined",
            detail=_which("received <> loaded + unchanged + quarantined"),
            meaning="every record received was loaded, unchanged or quarantined",
            what_to_do="`lifehouse loads` shows the load; reject it and ingest again",
        ),
        none(
            "records kept",
            kept,
            "stored > in_raw or quarantined > in_quarantine",
            detail=_which("stored > in_raw or quarantined > in_quarantine"),
            meaning="raw and quarantine hold as many records of each load as were noted when it came",
            what_to_do="records were removed after they came: reject the load and ingest it again",
        ),
        none(
            "records added",
            kept,
            "stored < in_raw",
            detail=_which("stored < in_raw"),
            meaning="raw holds no more records of a load than came with it",
            what_to_do="raw was written to by hand: reject the load and ingest it again",
        ),
    ]


def _which(condition: str) -> str:
    return f"string_agg(distinct 'load ' || load_id || ' of ' || place, ', ') filter (where {condition})"


def _kept(delivery: Delivery) -> str:
    loads = ", ".join(map(str, delivery.loads))
    raw = f'select _load_id as load_id from "raw_{delivery.source}"."{delivery.table}" where'
    bad = f'select load_id from quarantine."{delivery.source}_{delivery.table}" where'
    counts = {
        "in_raw": f"{raw} _load_id in ({loads})" if delivery.has_raw else None,
        "in_quarantine": f"{bad} load_id in ({loads})" if delivery.has_quarantine else None,
    }
    joined = " ".join(
        f"left join (select load_id, count(*) as {name} from ({query}) as records group by load_id) "
        f"as {name} using (load_id)"
        for name, query in counts.items()
        if query
    )
    columns = ", ".join(
        f"{f'coalesce({name}, 0)' if query else 0} as {name}" for name, query in counts.items()
    )
    return f"""
        select noted.load_id, received, loaded, unchanged, quarantined, loaded + deleted + revived as stored,
            '{delivery.source}.{delivery.table}' as place, {columns}
        from control.load_tables as noted {joined}
        where noted.table_name = '{delivery.table}' and noted.load_id in ({loads})
    """
