"""Real customers: UCI Online Retail, thirty nights one by one without a false alarm, then the rest in one catch-up.

The same thirty nights in another order, and built from nothing, give the same rows in every mart.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Container
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lifehouse import run, stations
from lifehouse.context import Context
from support import online_retail, rows
from support.online_retail import CLEAN_NIGHTS, PROJECT, as_of, drop

#: ``make proof`` releases every night; here some are, and on the others the load is judged alone.
EVERY_NIGHT = "LIFEHOUSE_EVERY_NIGHT" in os.environ
RELEASED = range(1, CLEAN_NIGHTS + 1) if EVERY_NIGHT else (1, 2, 8, CLEAN_NIGHTS)
#: In another order some days come together, as after a night that did not run.
AT_ONCE = 1 if EVERY_NIGHT else 3
IN_ANOTHER_ORDER = range(1, CLEAN_NIGHTS + 1) if EVERY_NIGHT else (2, 5, CLEAN_NIGHTS // AT_ONCE)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The 305 daily files, in the order of their days."""
    return online_retail.unpack(tmp_path_factory.mktemp("feed"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_nights_in_any_order_say_the_same_without_an_alarm_and_the_year_comes_out_to_the_penny(
    feed: list[Path], make_context: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "online_retail"
    monkeypatch.setenv("ONLINE_RETAIL_FOLDER", str(folder))
    ctx = make_context(project_root=PROJECT)
    _play(ctx, [[file] for file in feed[:CLEAN_NIGHTS]], folder, RELEASED)
    assert online_retail.alarms(ctx) == []
    lives = rows.served(ctx)
    assert run.night(ctx, as_of(feed[CLEAN_NIGHTS - 1]), full_refresh=True).status == "published"
    assert rows.difference(lives, rows.served(ctx)) == {}

    shuffled = random.Random(7).sample(feed[:CLEAN_NIGHTS], CLEAN_NIGHTS)
    other, other_folder = make_context(project_root=PROJECT), tmp_path / "in_another_order"
    monkeypatch.setenv("ONLINE_RETAIL_FOLDER", str(other_folder))
    deliveries = [shuffled[number : number + AT_ONCE] for number in range(0, CLEAN_NIGHTS, AT_ONCE)]
    _play(other, deliveries, other_folder, IN_ANOTHER_ORDER)
    assert rows.difference(lives, rows.served(other)) == {}

    monkeypatch.setenv("ONLINE_RETAIL_FOLDER", str(folder))
    for file in feed[CLEAN_NIGHTS:]:
        drop(file, folder)
    night = run.night(ctx, as_of(feed[-1]))
    assert (night.status, night.problems) == ("published", [])

    totals = ctx.warehouse.rows("select * from marts.sales_totals")
    assert len(totals) == 1
    assert (totals[0]["clean_lines"], totals[0]["clean_customers"], totals[0]["clean_revenue"]) == (
        397_884,
        4_338,
        Decimal("8911407.904"),
    )
    _check_against_the_files(ctx, feed)
    assert run.night(ctx, as_of(feed[-1])).status == "unchanged"


def _play(ctx: Context, deliveries: list[list[Path]], folder: Path, released: Container[int]) -> None:
    """A night for each delivery, in their order; a run speaks about the latest day that has come so far."""
    folder.mkdir()
    latest = datetime.min.replace(tzinfo=UTC)
    for number, files in enumerate(deliveries, 1):
        for file in files:
            drop(file, folder)
            latest = max(latest, as_of(file))
        if number in released:
            night = run.night(ctx, latest)
            assert (night.status, night.problems) == ("published", [])
        else:
            stations.raw_gate(ctx, stations.ingest(ctx, "online_retail") or 0)


def _check_against_the_files(ctx: Context, feed: list[Path]) -> None:
    """Guests apart, every line accounted for, cancellations netted: against pandas over the same files."""
    lines = pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in feed])
    amount = lines["Quantity"].map(Decimal) * lines["UnitPrice"].map(Decimal)
    guest = lines["CustomerID"] == ""
    cancelled = lines["InvoiceNo"].str.startswith("C")
    totals = ctx.warehouse.rows("select * from marts.sales_totals")[0]
    assert totals["lines"] == len(lines)
    assert totals["guest_lines"] == guest.sum() == 135_080
    documents = totals["orders"] + totals["refund_orders"] + totals["cancelled_orders"]
    assert documents == lines["InvoiceNo"].nunique()
    assert totals["net_revenue"] == amount.sum()
    net = ctx.warehouse.value("select sum(net_revenue) from marts.customers")
    assert net == amount[~guest].sum()
    refunds = ctx.warehouse.value("select -sum(refunds) from marts.sales_totals")
    assert refunds == -amount[cancelled].sum()
    received = ctx.warehouse.value("select sum(received) from control.load_tables")
    assert received == len(lines) == 541_909
