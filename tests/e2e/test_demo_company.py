"""The demo company, sampled, through every station: three nights, its sums and its pushes held against its systems."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import httpx
import pytest

from lifehouse import run
from lifehouse.build import contract
from lifehouse.context import Context
from lifehouse.demo import engage, package, services, shop
from lifehouse.demo.nights import NIGHTS
from lifehouse.lifecycles.rules import EVENT_TYPES
from lifehouse.orchestration.house import House
from support.databases import Databases

HOUSEHOLDS = 150


@pytest.fixture
def company(
    make_context: Callable[..., Context],
    databases: Databases,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Context]:
    """The demo project with its systems running; the shop is a database on the session's server."""
    monkeypatch.setenv("LIFEHOUSE_SHOP_URL", databases.create(template=None))
    for name in ("CRM_URL", "CRM_TOKEN", "RECEIVER_URL", "RECEIVER_TOKEN", "CLOCK"):
        monkeypatch.setenv(f"LIFEHOUSE_{name}", "")  # put back afterwards
    monkeypatch.setenv("AIRFLOW_CONN_LIFEHOUSE_RECEIVER", "")
    ctx = make_context()
    House(ctx).start_systems(HOUSEHOLDS)
    yield ctx
    services.stop(ctx)


@pytest.fixture
def shop_url(company: Context) -> str:
    """The shop's database."""
    return os.environ["LIFEHOUSE_SHOP_URL"]


def _reachable(ctx: Context, segment: str, channel: str) -> set[str]:
    """The members who agreed to the channel, by e-mail; read without the engine."""
    rows = ctx.warehouse.rows(
        """
        select lower(trim(customers.email)) as email
        from marts.segment_members as members
        inner join marts.customers using (customer_id)
        inner join marts.consents using (customer_id)
        where members.segment = %s and consents.channel = %s and consents.purpose = 'marketing'
            and consents.status = 'granted' and customers.email is not null
        """,
        (segment, channel),
    )
    return {row["email"] for row in rows}


def _held(sync: str) -> set[str]:
    url, token = os.environ["LIFEHOUSE_RECEIVER_URL"], os.environ["LIFEHOUSE_RECEIVER_TOKEN"]
    answer = httpx.get(f"{url}/members", params={"sync": sync}, headers={"Authorization": f"Bearer {token}"})
    return set(answer.raise_for_status().json()["keys"])


def _the_contract_is_filled_and_every_visit_is_somebodys_or_counted_apart(ctx: Context) -> None:
    def rows(table: str) -> int:
        return int(ctx.warehouse.value(f"select count(*) from contract.{table}"))

    assert [table for table in contract.tables() if not rows(table)] == []
    told = {row["event_type"] for row in ctx.warehouse.rows("select event_type from core.customer_events")}
    assert set(EVENT_TYPES) - told == {"refund", "points_adjusted", "message", "interaction"}
    hits = engage.build(package.read(HOUSEHOLDS).households).at(NIGHTS[-1])["interactions"]
    named = {hit["cookie"] for hit in hits if hit["member_id"] and hit["cookie"]}
    known = sum(bool(hit["member_id"]) or hit["cookie"] in named for hit in hits)
    actions = [hit["action"] for hit in hits]
    on_timelines = (
        "select count(*) from core.customer_events where source = 'engage' and event_type = any(%s)"
    )
    assert rows("interactions") == len(hits)
    assert ctx.warehouse.value(on_timelines, (actions,)) == known
    apart = ctx.warehouse.value("select sum(interactions) from core.anonymous_visitors")
    assert apart == len(hits) - known > 0


def _every_stage_of_every_lifecycle_has_been_somebodys(ctx: Context) -> None:
    empty = ctx.warehouse.rows(
        """
        select lifecycle, stage from marts.lifecycle_stages as stages
        where not exists (
            select from marts.stage_history as stays
            where stays.lifecycle = stages.lifecycle and stays.stage = stages.stage and entered_at <= %s
        )
        """,
        (NIGHTS[-1],),
    )
    assert empty == []


@pytest.mark.slow
def test_three_nights_agree_with_the_shop_and_the_platform_to_the_cent(
    company: Context, shop_url: str
) -> None:
    for as_of in NIGHTS:
        shop.advance(shop_url, as_of, HOUSEHOLDS)
        services.advance(company, as_of)
        night = run.night(company, as_of)
        assert (night.status, night.problems) == ("published", [])
        expected = shop.shop_totals(shop_url, as_of)
        totals = company.warehouse.rows("select * from marts.sales_totals where source = 'shop'")[0]
        assert totals["orders"] == expected.orders
        assert totals["cancelled_orders"] == expected.cancelled_orders
        assert totals["lines"] - totals["cancelled_lines"] == expected.order_lines
        assert totals["net_revenue"] == expected.revenue
        buyers = "select count(distinct customer_key) from contract.orders where status = 'completed'"
        assert company.warehouse.value(buyers) == expected.buyers
        assert company.warehouse.value("select sum(net_revenue) from marts.customers") == expected.revenue
        assert _held("champions") == _reachable(company, "value_champions", "email")
    _the_contract_is_filled_and_every_visit_is_somebodys_or_counted_apart(company)
    _every_stage_of_every_lifecycle_has_been_somebodys(company)
    again = run.night(company, NIGHTS[-1])
    assert again.status == "unchanged"
    assert [result.calls for result in again.syncs.values()] == [0, 0]
