"""What the demo's shop enters late or wrongly, and puts right on the second and third night.

Every mistake ends at the package's own figures: with all nights played, the completed orders are exactly The
Complete Journey's. Which baskets are hit depends on their numbers only, so every run tells the same story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from lifehouse.demo.nights import NIGHTS
from lifehouse.demo.package import Package

#: Per later night: baskets entered late, lines typed wrongly, baskets entered twice, changed e-mails.
LATE, MISTYPED, DOUBLED, MOVED = 12, 8, 4, 5
#: The second entry of a basket gets this much added to its number.
COPY_OFFSET = 50_000_000_000


@dataclass(frozen=True)
class Story:
    """late: order_id, entered_at. mistyped: order_id, product_id, corrected_at (the amount was ten times as
    high). doubled: order_id (of the basket), copy_id, cancelled_at. moved: customer_id, changed_at (e-mail).
    """

    late: pd.DataFrame
    mistyped: pd.DataFrame
    doubled: pd.DataFrame
    moved: pd.DataFrame


def tell(package: Package) -> Story:
    """The story for these households; a small sample may have fewer candidates than a whole night's share."""
    first = NIGHTS[0]
    lines = package.transactions
    recent = lines[
        (lines.transaction_timestamp >= first - timedelta(days=30))
        & (lines.transaction_timestamp < NIGHTS[-1])
    ]
    baskets = recent.drop_duplicates("basket_id").set_index("basket_id")["transaction_timestamp"]
    free = baskets.loc[sorted(baskets.index, key=_shuffled)]
    late, doubled, mistyped, moved = [], [], [], []
    for number, night in enumerate(NIGHTS[1:]):
        days_ago = free[(free >= night - timedelta(days=9)) & (free < first - timedelta(days=1))]
        late.append(_at(days_ago.index[:LATE], "entered_at", night - timedelta(hours=2)))
        free = free.drop(days_ago.index[:LATE])
        entered_twice = free[
            (free >= first - timedelta(days=5)) & (free < first - timedelta(hours=12))
        ].index[:DOUBLED]
        doubled.append(_at(entered_twice, "cancelled_at", night - timedelta(hours=3)))
        free = free.drop(entered_twice)
        typed = recent[
            recent.basket_id.isin(free[free < first - timedelta(days=1)].index)
            & recent.sales_value.between(1, 20)
        ]
        typed = (
            typed.drop_duplicates("basket_id").set_index("basket_id").reindex(free.index).dropna()[:MISTYPED]
        )
        fixes = _at(typed.index, "corrected_at", night - timedelta(hours=4))
        mistyped.append(fixes.assign(product_id=typed.product_id.astype("int64").to_numpy()))
        free = free.drop(typed.index)
        movers = sorted(package.households, key=_shuffled)[number * MOVED : (number + 1) * MOVED]
        changes = _at(pd.Index(movers), "changed_at", night - timedelta(hours=5))
        moved.append(changes.rename(columns={"order_id": "customer_id"}))
    twice = pd.concat(doubled, ignore_index=True)
    return Story(
        late=pd.concat(late, ignore_index=True),
        mistyped=pd.concat(mistyped, ignore_index=True),
        doubled=twice.assign(copy_id=twice.order_id + COPY_OFFSET),
        moved=pd.concat(moved, ignore_index=True),
    )


def _at(keys: pd.Index, name: str, start: datetime) -> pd.DataFrame:
    """One row a key, a minute apart from ``start`` on."""
    times = pd.Series(
        pd.date_range(start, periods=len(keys), freq="1min", unit="us"), dtype="datetime64[us, UTC]"
    )
    return pd.DataFrame({"order_id": keys.to_numpy(dtype="int64"), name: times.to_numpy()}).assign(
        **{name: times}
    )


def _shuffled(number: int) -> int:
    return number * 2_654_435_761 % 2**32
