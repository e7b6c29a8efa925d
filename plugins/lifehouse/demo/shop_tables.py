"""The shop's tables, made from the package: every version that a row ever had, with the instant of its entry.

Money, in USD. The package's ``sales_value`` is what the store receives for a line, as its guide says: loyalty
discount and the store's match of a coupon are already off; a manufacturer's coupon is not, because the
manufacturer refunds it. The shop's ``amount`` is that ``sales_value``, paid by the customer and, as far as
``coupon_discount`` says, by a manufacturer. (``sales_value - coupon_disc``, what left the customer's purse,
would be below zero on 3,507 lines.) ``unit_price`` is the shelf price before any discount.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from lifehouse.demo.nights import ZONE
from lifehouse.demo.package import Package
from lifehouse.demo.shop_story import Story

#: The catalogue's products were entered on this day.
CATALOGUE = pd.Timestamp("2016-11-01", tz="UTC").as_unit("us")


def orders(package: Package, story: Story) -> pd.DataFrame:
    """order_id, customer_id, store_id, ordered_at, status, channel, currency, created_at, updated_at."""
    columns = {"basket_id": "order_id", "household_id": "customer_id", "transaction_timestamp": "ordered_at"}
    baskets = package.transactions.drop_duplicates("basket_id").rename(columns=columns)
    baskets = baskets[["order_id", "customer_id", "store_id", "ordered_at"]]
    entered = baskets.order_id.map(story.late.set_index("order_id").entered_at).fillna(baskets.ordered_at)
    baskets = baskets.assign(
        status="completed", channel="store", currency="USD", created_at=entered, updated_at=entered
    )
    twice = baskets.merge(story.doubled, on="order_id")
    later = twice.ordered_at + timedelta(minutes=2)
    copies = twice.assign(order_id=twice.copy_id, ordered_at=later, created_at=later, updated_at=later)
    cancelled = copies.assign(status="cancelled", updated_at=copies.cancelled_at)
    return pd.concat([baskets, copies[baskets.columns], cancelled[baskets.columns]], ignore_index=True)


def order_lines(package: Package, story: Story) -> pd.DataFrame:
    """order_id, line_no (1.. in the receipt's order), product_id, quantity, prices, discounts, amount."""
    sold = package.transactions
    amount = sold.sales_value.round(2)
    shelf = (sold.sales_value + sold.retail_disc + sold.coupon_match_disc).round(2)
    lines = pd.DataFrame(
        {
            "order_id": sold.basket_id,
            "line_no": sold.groupby("basket_id", sort=False).cumcount() + 1,
            "product_id": sold.product_id,
            "quantity": sold.quantity,
            "unit_price": (shelf / sold.quantity.where(sold.quantity > 0)).round(4),
            "loyalty_discount": sold.retail_disc.round(2),
            "coupon_discount": sold.coupon_disc.round(2),
            "coupon_match_discount": sold.coupon_match_disc.round(2),
            "amount": amount,
            "currency": "USD",
            "updated_at": sold.basket_id.map(story.late.set_index("order_id").entered_at).fillna(
                sold.transaction_timestamp
            ),
        }
    )
    twice = lines.merge(story.doubled, on="order_id")
    copies = twice.assign(order_id=twice.copy_id, updated_at=twice.updated_at + timedelta(minutes=2))[
        lines.columns
    ]
    right = lines.reset_index().merge(story.mistyped, on=["order_id", "product_id"]).set_index("index")
    lines.loc[right.index, "amount"] = (right.amount * 10).round(2)
    return pd.concat(
        [lines, copies, right.assign(updated_at=right.corrected_at)[lines.columns]], ignore_index=True
    )


def products(package: Package, story: Story) -> pd.DataFrame:
    """The catalogue; ``unit_price`` is the median shelf price. 17 sold products are 'Unlisted product'."""
    sold = package.transactions[package.transactions.quantity > 0]
    shelf = (sold.sales_value + sold.retail_disc + sold.coupon_match_disc) / sold.quantity
    prices = shelf.groupby(sold.product_id).median().round(4)
    listed = package.products.assign(name=package.products.product_type.str.title())
    missing = sorted(set(package.transactions.product_id) - set(listed.product_id))
    unlisted = pd.DataFrame({"product_id": missing, "name": "Unlisted product"})
    catalogue = pd.concat([listed, unlisted], ignore_index=True)
    return pd.DataFrame(
        {
            "product_id": catalogue.product_id,
            "name": catalogue.name.fillna("Unnamed product"),
            "department": catalogue.department,
            "category": catalogue.product_category,
            "product_type": catalogue.product_type,
            "brand": catalogue.brand,
            "manufacturer_id": catalogue.manufacturer_id.astype("Int64"),
            "package_size": catalogue.package_size,
            "unit_price": catalogue.product_id.map(prices),
            "currency": "USD",
            # entered one after the other, a minute apart: an overlap then reads some of them again, not all
            "updated_at": CATALOGUE - pd.to_timedelta(range(len(catalogue)), unit="min"),
        }
    )


def campaigns(package: Package, story: Story) -> pd.DataFrame:
    """The 27 mailings of coupons, entered when they start; days are whole days in New York."""
    described = package.campaign_descriptions
    starts, ends = _day(described.start_date), _day(described.end_date + timedelta(days=1))
    numbers = described.campaign_id.astype(str).str.zfill(2)
    return pd.DataFrame(
        {
            "campaign_id": described.campaign_id,
            "name": "Mailing " + numbers + " (" + described.campaign_type + ")",
            "campaign_type": described.campaign_type,
            "channel": "post",
            "starts_at": starts,
            "ends_at": ends,
            "updated_at": starts,
        }
    )


def campaign_targets(package: Package, story: Story) -> pd.DataFrame:
    """One row a campaign and customer who was sent its coupons."""
    starts = campaigns(package, story).set_index("campaign_id").starts_at
    at = package.campaigns.campaign_id.map(starts)
    chosen = package.campaigns.rename(columns={"household_id": "customer_id"})
    return chosen[["campaign_id", "customer_id"]].assign(targeted_at=at, updated_at=at)


def coupons(package: Package, story: Story) -> pd.DataFrame:
    """One row a campaign and coupon, good while the campaign runs, for so many ``products``."""
    good_for = package.coupons.groupby(["campaign_id", "coupon_upc"]).product_id.nunique()
    offered = good_for.rename("products").reset_index()
    windows = campaigns(package, story)[["campaign_id", "starts_at", "ends_at", "updated_at"]]
    return offered.merge(windows, on="campaign_id")


def coupon_redemptions(package: Package, story: Story) -> pd.DataFrame:
    """One row a redeemed coupon, at the time of the household's last basket of that day in New York."""
    lines = package.transactions[["household_id", "transaction_timestamp"]].drop_duplicates()
    local = (
        lines.transaction_timestamp.dt.tz_convert(ZONE)
        .dt.tz_localize(None)
        .dt.normalize()
        .astype("datetime64[us]")
    )
    last = (
        lines.assign(redemption_date=local)
        .groupby(["household_id", "redemption_date"])
        .transaction_timestamp.max()
    )
    used = package.coupon_redemptions.assign(
        redemption_date=package.coupon_redemptions.redemption_date.astype("datetime64[us]")
    ).merge(last.rename("redeemed_at").reset_index(), on=["household_id", "redemption_date"])
    used = used.sort_values(["redeemed_at", "household_id", "campaign_id", "coupon_upc"], ignore_index=True)
    used = used.rename(columns={"household_id": "customer_id"})
    columns = ["customer_id", "coupon_upc", "campaign_id", "redeemed_at"]
    return used[columns].assign(redemption_id=used.index + 1, updated_at=used.redeemed_at)


def _day(days: pd.Series) -> pd.Series:
    """The beginning of these days in New York, in UTC."""
    return days.astype("datetime64[us]").dt.tz_localize(ZONE).dt.tz_convert("UTC")
