"""No mart shrinks or swells beyond its bound against the published release.

What arrived explains growth: with n times as many records stored as then, a mart may be n times as large, and by
the bound more. So a catch-up of a year passes, and a join that doubles rows on a quiet night does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import EVERY_MART, Rule, Severity, within

TABLES = EVERY_MART


@dataclass(frozen=True)
class Bound:
    """Shares by which a mart may shrink or swell; within ``slack`` rows it always may."""

    shrink: float = 0.1
    swell: float = 0.5
    slack: int = 100
    severity: Severity = "critical"


#: Whose size follows the calendar or the rules rather than the records; people are told, the run goes on.
_LOOSE = Bound(shrink=0.5, swell=2.0, severity="warning")
BOUNDS = {
    "acquisition_by_channel": _LOOSE,
    "campaign_results": _LOOSE,
    "campaigns": _LOOSE,
    "churn_reasons": _LOOSE,
    "cohorts": _LOOSE,
    "daily_sales": _LOOSE,
    "dates": _LOOSE,
    "journey_gaps": _LOOSE,
    "lifecycle_stages": _LOOSE,
    "segment_members": Bound(shrink=0.5, swell=1.0),
    "satisfaction": _LOOSE,
    "segments": _LOOSE,
    "service": _LOOSE,
    "stage_forecast": _LOOSE,
    "stage_metrics": _LOOSE,
    "stage_metrics_by_period": _LOOSE,
    "stage_transitions": _LOOSE,
}


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    before = candidate.served_rows.get(table)
    if not before:
        return []
    bound = BOUNDS.get(table, Bound())
    least = min(before * min(candidate.growth, 1) * (1 - bound.shrink), before - bound.slack)
    most = max(before * max(candidate.growth, 1) * (1 + bound.swell), before + bound.slack)
    return [
        within(
            "size near the published release's",
            "count(*)",
            least=max(int(least), 0),
            most=int(most),
            over=candidate.table(table),
            severity=bound.severity if candidate.is_comparable else "warning",
            meaning=f"the mart has between {max(int(least), 0)} and {int(most)} rows; it had {before}",
            what_to_do="see what arrived (`lifehouse loads`); reject a load that is wrong. If the change is right, "
            "widen the bound in expectations/release/volume.py",
        )
    ]
