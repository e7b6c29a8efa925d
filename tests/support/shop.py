"""A shop's daily CSV files, in the way of Online Retail, and what their books say."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lifehouse import run
from lifehouse.context import Context

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
FIRST = date(2011, 3, 1)
DAYS = 12


def drop_days(folder: Path, days: range) -> None:
    """One file a day in the way of a shop's export: ids like 12346.0, guests without one, cancellations from day 5 on."""
    folder.mkdir(exist_ok=True)
    for day in days:
        dice = random.Random(day)
        today = FIRST + timedelta(days=day)
        with (folder / f"{today}.csv").open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(HEADER)
            for number in range(8):
                invoice, guest = 536000 + day * 100 + number, number == 7
                customer = "" if guest else f"{12340 + dice.randrange(15)}.0"
                back = day >= 5 and number == 3
                for line in range(1 + number % 3):
                    quantity = -1 if back else 1 + dice.randrange(6)
                    price = f"{dice.randrange(100, 900) / 100:.2f}"
                    moment = f"{today} {8 + number:02d}:26:00"
                    product = f"85{100 + line}{'A' if line else ''}"
                    name = f"{'C' if back else ''}{invoice}"
                    writer.writerow(
                        (name, product, f"MUG {line}", quantity, moment, price, customer, "United Kingdom")
                    )


@dataclass(frozen=True)
class Shop:
    """The drafted project with two published releases: the first ten days, then twelve."""

    ctx: Context
    feed: Path
    nights: list[run.Night]

    def books(self) -> tuple[int, int, float]:
        """Lines, invoices and net revenue, read off the files."""
        lines = [row for path in self.feed.glob("*.csv") for row in csv.DictReader(path.open())]
        revenue = sum(int(row["Quantity"]) * float(row["UnitPrice"]) for row in lines)
        return len(lines), len({row["InvoiceNo"] for row in lines}), round(revenue, 2)
