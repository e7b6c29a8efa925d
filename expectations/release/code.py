"""Other code tells another history: how much of what was served about the past differs, before it is published."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, within

TABLES = ("stage_history", "orders")

_COLUMNS = {
    "stage_history": ("customer_id", "lifecycle", "stage", "entered_at", "exited_at"),
    "orders": ("customer_id", "source", "order_key", "status", "ordered_at", "currency", "net_amount"),
}
_TIME = {"stage_history": "entered_at", "orders": "ordered_at"}


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    before = candidate.before(table, *_COLUMNS[table])
    if before is None or candidate.served is None or not candidate.is_other_code:
        return []
    release, was = candidate.served.release_id, f"timestamptz '{candidate.served.as_of.isoformat()}'"
    values = ", ".join(
        # a move that was only scheduled then is no history: what lies beyond the instant counts as open
        f"case when exited_at <= {was} then exited_at end" if column == "exited_at" else column
        for column in _COLUMNS[table]
    )
    past = f"select hashtextextended(row({values})::text, 0) as row from {{}} where {_TIME[table]} < {was}"
    rows = f"(select count(*) from ({past.format(before)}) as past)"
    changed = f"(select count(*) from ({past.format(before)} except all {past.format(candidate.table(table))}) as changed)"
    came = f"(select count(*) from ({past.format(candidate.table(table))} except all {past.format(before)}) as came)"
    share = f"greatest({changed}, {came})::numeric / nullif({rows}, 0)"
    same_loads = set(candidate.served.loads) == set(candidate.run.loads)
    cause = "" if same_loads else " (loads that came since may be why)"
    told = {
        "detail": f"{changed} || ' rows of the past are gone or changed, ' || {came} || ' came, of ' || {rows}",
        "what_to_do": f"`lifehouse diff {release} run:{candidate.run.run_id}` shows what changed, in words; publish "
        "it if it is meant",
    }
    return [
        within(
            "history as served",
            share,
            most=0,
            severity="warning" if candidate.is_comparable else "info",
            meaning=f"other code tells the same of the time before release {release}'s as-of instant{cause}",
            **told,
        ),
        within(
            "history as served, mostly",
            share,
            most=0.5,
            # --full-refresh is how a person says that everything may be other than it was
            severity="warning"
            if candidate.run.full_refresh or candidate.severity() == "info"
            else "critical",
            meaning="other code leaves at least half of the history as it was; a run with --full-refresh may change all of it",
            **told,
        ),
    ]
