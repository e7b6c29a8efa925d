"""The raw gate's suite of a table, compiled from the same declaration as the quarantine SQL.

It judges figures alone: what the load counted, how many stored rows break each rule, and what is outside the usual
range. The rows themselves were scanned once, for their profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifehouse.ingest import words
from lifehouse.ingest.drift import CLOSING, NOTED
from lifehouse.ingest.figure import Figure
from lifehouse.ingest.profile import typed_rules
from lifehouse.ingest.raw import Place
from lifehouse.quality.figure import ExpectFigure

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REPORT = "report this: quarantine should have set it aside"

_MEANINGS = {
    "missing": "no declared column is missing",
    "narrowed": "no column holds less than before and than declared",
    "added": "no column is new",
    "widened": "no column holds more than before",
    "retyped": "no column has another type",
}
_ADVICE = {
    "missing": "ask the source, or change the declaration",
    "narrowed": "ask the source; if it is to stay, `lifehouse loads accept` the load with a reason",
    "added": "it is kept in _extra; declare it to have it as a column",
    "widened": "nothing: every value is still checked against the declared type",
    "retyped": "nothing: it still holds all that is declared",
}


def of_table(
    place: Place,
    load_id: int,
    found: Mapping[str, float],
    figures: Sequence[Figure],
    *,
    is_whole: bool,
    is_profiled: bool,
) -> list[ExpectFigure]:
    """What must hold of a load's table: shape, share of bad records, volume, freshness, rules, and what is usual.

    :param found: what was counted (``lifehouse.ingest.counted``). :param figures: what was judged against history.
    :param is_whole: the delivery was read from the beginning, so the fixed bounds on volume apply.
    :param is_profiled: rows were stored, and scanned.
    """
    suite = _Suite(place, found)
    suite.of_counts(load_id, is_whole=is_whole)
    if place.table.freshness:
        within = place.table.freshness.within
        meaning = f"the newest {place.table.freshness.column} is at most {within} old"
        limit = int(within[:-1]) * _SECONDS[within[-1]]
        suite.expect("age_seconds", meaning, "is the source still being written?", most=limit)
    if is_profiled:
        suite.of_rules()
    for figure in figures:
        if figure.severity:
            suite.of_figure(figure)
    if figures:
        usual = sum(figure.bounds.low <= figure.found <= figure.bounds.high for figure in figures)
        suite.tell("usual", usual, "figures are in their usual range", "", least=0, severity="info")
    return suite.expectations


@dataclass
class _Suite:
    """The expectations of one table, as they come together."""

    place: Place
    found: Mapping[str, float]
    expectations: list[ExpectFigure] = field(default_factory=list)

    def tell(self, name: str, figure: float | None, meaning: str, what_to_do: str, **told: Any) -> None:
        """Expect a figure to keep its bounds; one that nobody counted does not."""
        source = self.place.source
        subject = f"{source.source}.{self.place.name}"
        told = {"meaning": meaning, "what_to_do": what_to_do, "owner": source.owner, **told}
        self.expectations.append(ExpectFigure.told(subject, name, figure, **told))

    def expect(self, counted: str, meaning: str, what_to_do: str, **told: Any) -> None:
        """Expect what was counted under this name to keep its bounds."""
        self.tell(told.pop("name", counted), self.found.get(counted), meaning, what_to_do, **told)

    def of_counts(self, load_id: int, *, is_whole: bool) -> None:
        """Records accounted for, few of them bad; the shape; fixed bounds on volume."""
        share, table = self.place.source.quarantine_share, self.place.table
        look = f"look at `lifehouse quarantine show {load_id}`"
        self.expect("quarantined_share", f"at most {share:.2%} of the records are bad", look, most=share)
        self.expect("unaccounted", "received = loaded + unchanged + quarantined", "report this", most=0)
        for kind in (*CLOSING, *NOTED):
            severity = "critical" if kind in CLOSING else "info"
            self.expect(f"{kind}_columns", _MEANINGS[kind], _ADVICE[kind], most=0, severity=severity)
        if table.refuses_empty and not table.given:
            self._at_least(1, "the extract is not empty")
        if is_whole and table.volume.min_rows:
            self._at_least(table.volume.min_rows, f"at least {table.volume.min_rows:,} rows")
        if is_whole and table.volume.max_rows is not None:
            most = table.volume.max_rows
            self.expect("received", f"at most {most:,} rows", "look at the source", most=most)

    def _at_least(self, rows: int, meaning: str) -> None:
        self.expect("received", meaning, "look at the source", name="received at least", least=rows)

    def of_rules(self) -> None:
        """No stored row breaks a rule, no key is there twice."""
        for number, rule in enumerate(typed_rules(self.place)):
            name = f"{rule.column}: {rule.reason}"
            self.expect(f"rule {number}", f"no {rule.reason}", _REPORT, name=name, most=0, about=rule.column)
        key = self.place.table.key
        if key:
            self.expect("repeated keys", f"({', '.join(key)}) is unique", _REPORT, name="unique key", most=0)

    def of_figure(self, figure: Figure) -> None:
        """A figure outside its usual range: the bound that it breaks is the one that is expected."""
        limits = figure.bounds
        is_critical = figure.severity == "critical" and figure.measure != "lost days"
        low, high = (limits.critical_low, limits.critical_high) if is_critical else (limits.low, limits.high)
        self.tell(
            f"usual {figure.measure}", round(figure.found, 4), words.meaning(figure), words.ADVICE,
            severity=figure.severity, about=figure.column or None, least=low, most=high,
        )  # fmt: skip
