"""What the control tables know that an alert should say: failed expectations, what is served, what a run was about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lifehouse.warehouse.connection import Warehouse

# The last judgement alone: a gate that is called again judges everything again.
_FAILED = """
    with judged as (
        select distinct on (subject, expectation, column_name) *
        from control.quality_results
        where gate = %(gate)s and run_id is not distinct from %(run_id)s and load_id is not distinct from %(load_id)s
            and (%(subject)s::text is null or subject = %(subject)s)
        order by subject, expectation, column_name, result_id desc
    )
    select subject, column_name, meaning, checked, failed, observed, what_to_do, owner
    from judged
    where not success and severity = %(severity)s
    order by result_id
"""


@dataclass
class Findings:
    """Expectations that did not hold: why, what to do, and who owns them, each sentence once."""

    reasons: list[str] = field(default_factory=list)
    what_to_do: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str | None:
        return ", ".join(self.owners) or None


def failed(
    warehouse: Warehouse,
    gate: str,
    severity: str,
    *,
    run_id: int | None = None,
    load_id: int | None = None,
    subject: str | None = None,
) -> Findings:
    """The expectations of a gate that did not hold of a run or a load."""
    about = {"gate": gate, "severity": severity, "run_id": run_id, "load_id": load_id, "subject": subject}
    rows = warehouse.rows(_FAILED, about)
    return Findings(
        _once(_sentence(row) for row in rows),
        _once(row["what_to_do"] for row in rows if row["what_to_do"]),
        _once(row["owner"] for row in rows if row["owner"]),
    )


def served(warehouse: Warehouse) -> str:
    """Which release everybody reads, in a sentence."""
    rows = warehouse.rows("select release_id, as_of, published_at from control.published")
    if not rows:
        return "Nothing is published yet."
    row = rows[0]
    return (
        f"Served is release {row['release_id']}, as of {row['as_of']:%Y-%m-%d %H:%M} UTC, "
        f"published {row['published_at']:%Y-%m-%d %H:%M} UTC."
    )


def run_words(warehouse: Warehouse, run_id: int | None) -> list[str]:
    """What a run was about."""
    rows = warehouse.rows(
        "select as_of, cardinality(loads) as loads, full_refresh from control.runs where run_id = %s",
        (run_id,),
    )
    return [
        f"run {run_id}, as of {row['as_of']:%Y-%m-%d %H:%M} UTC, over {row['loads']:,} accepted loads"
        + (", built anew" if row["full_refresh"] else "")
        for row in rows
    ]


def load_words(warehouse: Warehouse, load_id: int | None) -> list[str]:
    """What a load held."""
    rows = warehouse.rows(
        """
        select table_name, received, quarantined
        from control.load_tables
        where load_id = %s and received > 0
        order by table_name
        """,
        (load_id,),
    )
    return [
        f"load {load_id}, {row['table_name']}: {row['received']:,} received"
        + (f", {row['quarantined']:,} in quarantine" if row["quarantined"] else "")
        for row in rows
    ]


def _sentence(row: dict[str, Any]) -> str:
    place = f"{row['subject']}.{row['column_name']}" if row["column_name"] else row["subject"]
    found = ""
    if row["failed"]:
        found = f" ({row['failed']:,} of {row['checked'] or 0:,} rows do not hold)"
    elif row["observed"] is not None:
        found = f" (found: {row['observed']})"
    return f"{place}: {row['meaning']}{found}"


def _once(sentences: Any) -> list[str]:
    return list(dict.fromkeys(sentences))
