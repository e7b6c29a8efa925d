"""The shop's customers: a household's card holder (invented) with what the package knows of the household."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from random import Random

import pandas as pd

from lifehouse.demo.package import Package
from lifehouse.demo.people import person
from lifehouse.demo.shop_story import Story
from lifehouse.demo.shop_tables import campaign_targets

#: Of 100 card holders, so many told the shop their e-mail address, and their phone number.
EMAIL_SHARE, PHONE_SHARE = 0.88, 0.76
_DEMOGRAPHICS = {
    "age": "age_band",
    "income": "income_band",
    "home_ownership": "home_ownership",
    "marital_status": "marital_status",
    "household_size": "household_size",
    "household_comp": "household_composition",
    "kids_count": "kids_count",
}


def customers(package: Package, story: Story) -> pd.DataFrame:
    """One row a household; demographics are known for 801 of the 2,469.

    ``created_at`` is ten minutes before the first that is known of the household: its first basket, or the
    first campaign it was chosen for. A customer of ``story.moved`` has two versions: before and after.
    """
    holders = pd.DataFrame([_holder(household) for household in package.households])
    known = package.demographics.rename(columns={**_DEMOGRAPHICS, "household_id": "customer_id"})
    first = pd.concat(
        [
            package.transactions.groupby("household_id").transaction_timestamp.min(),
            campaign_targets(package, story).groupby("customer_id").targeted_at.min(),
        ]
    )
    created = first.groupby(level=0).min() - timedelta(minutes=10)
    rows = holders.merge(known, on="customer_id", how="left")
    at = rows.customer_id.map(created)
    rows = rows.assign(country="US", acquisition_channel="store", created_at=at, updated_at=at)
    changed = rows.merge(story.moved, on="customer_id")
    after = changed.assign(email=changed.other_email, updated_at=changed.changed_at)
    before = rows.assign(
        email=rows.email.where(~rows.customer_id.isin(changed.customer_id), rows.customer_id.map(_true_email))
    )
    return pd.concat([before, after[rows.columns]], ignore_index=True).drop(columns="other_email")


def _holder(household: int) -> dict[str, object]:
    dice = Random(f"shop customer {household}")  # noqa: S311
    holder = asdict(person(household))
    holder["customer_id"] = holder.pop("number")
    local = holder["phone"].removeprefix("+1")
    holder["phone"] = f"{local[:3]}-{local[3:6]}-{local[6:]}" if dice.random() < PHONE_SHARE else None
    holder["email"] = holder["email"] if dice.random() < EMAIL_SHARE else None
    return holder


def _true_email(household: int) -> str:
    return person(household).email
