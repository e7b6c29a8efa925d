"""Records in = loaded + unchanged + quarantined, for every load that the run is the first to show."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate, Delivery
from lifehouse.releases.expectation import Expectation, no_rows

TABLES = ("control.load_tables",)


def expectations(candidate: Candidate, table: str) -> list[Expectation]:
    if not candidate.deliveries:
        return []
    kept = " union all ".join(_kept(delivery) for delivery in candidate.deliveries)
    return [
        no_rows(
            "records accounted for",
            f"select load_id from ({kept}) as kept where received <> loaded + unchanged + quarantined",
            meaning="every record received was loaded, unchanged or quarantined",
            what_to_do="`lifehouse loads` shows the load; reject it and ingest again",
        ),
        no_rows(
            "records kept",
            f"select load_id from ({kept}) as kept where loaded + deleted + revived <> in_raw or quarantined <> in_quarantine",
            meaning="raw and quarantine hold as many records of each load as were noted when it came",
            what_to_do="records were removed after they came: reject the load and ingest it again",
        ),
    ]


def _kept(delivery: Delivery) -> str:
    raw = f'(select count(*) from "raw_{delivery.source}"."{delivery.table}" where _load_id = noted.load_id)'
    quarantine = (
        f'(select count(*) from quarantine."{delivery.source}_{delivery.table}" as bad'
        " where bad.load_id = noted.load_id)"
    )
    return f"""
        select noted.*, {raw if delivery.has_raw else 0} as in_raw,
            {quarantine if delivery.has_quarantine else 0} as in_quarantine
        from control.load_tables as noted
        where noted.table_name = '{delivery.table}' and noted.load_id in ({", ".join(map(str, delivery.loads))})
    """
