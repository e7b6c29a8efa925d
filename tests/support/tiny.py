"""A tiny company whose files a test writes by hand, night by night."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lifehouse import run
from lifehouse.context import Context

TINY = Path(__file__).parents[1] / "companies" / "tiny"
PEOPLE = ("person_id", "name", "email", "phone", "card", "created_at", "updated_at", "email_consent")
LINES = ("order_id", "person_id", "ordered_at", "product", "quantity", "amount", "currency", "kind")


@dataclass
class Company:
    """The tiny company: its folder of files and its warehouse."""

    ctx: Context
    folder: Path

    def people(self, file: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Drop ``people/<file>.csv``; rows follow :data:`PEOPLE`."""
        self._drop("people", file, PEOPLE, rows)

    def lines(self, file: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Drop ``lines/<file>.csv``; rows follow :data:`LINES`."""
        self._drop("lines", file, LINES, rows)

    def night(self, day: str, **options: bool) -> run.Night:
        """The nightly run as of midnight UTC of ``day``."""
        return run.night(self.ctx, datetime.fromisoformat(day).replace(tzinfo=UTC), **options)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row.values()) for row in self.ctx.warehouse.rows(query)]

    def _drop(
        self, table: str, file: str, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]
    ) -> None:
        path = self.folder / table / f"{file}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(header)
            writer.writerows(rows)


ANN = ("p1", "Ann Ash", "ann@example.com", "+49 30 1234567", "c-1", "2024-01-01", "2024-01-01", "granted")
BEN = ("p2", "Ben Birch", "ben@example.com", "", "", "2024-01-02", "2024-01-02", "")
CAM = ("p3", "Cam Cedar", "", "030 7654321", "", "2024-01-03", "2024-01-03", "withdrawn")


def sale(order: str, person: str, day: str, amount: float, kind: str = "sale") -> tuple[object, ...]:
    return (order, person, f"{day}T12:00:00Z", "tea", 1, amount, "EUR", kind)
