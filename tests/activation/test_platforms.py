"""Every platform that ships as a declaration, against a simulation of it: one suite over all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import promises
import pytest
from simulated import Simulated
from vendors import VENDORS, Fxiaoke, GoogleAudiences, Klaviyo, Pipedrive, Salesforce, Zendesk, Zoho
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.platforms import catalog
from lifehouse.context import Context

QUICK = {"backoff": "10ms", "attempts": 6, "patience": "500ms", "per_second": 500}


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Iterator[Simulated]:
    with request.param() as running:
        yield running


@pytest.fixture
def company(make_context: Callable[..., Context], vendor: Simulated, tmp_path: Path) -> World:
    """Twelve champions, and a sync that mirrors them in the vendor's platform."""
    connection = PlatformConnection(vendor.url, vendor.login, vendor.secret, vendor.extra)
    world = World.founded(make_context, tmp_path / "project", connection)
    world.declare(
        platform=vendor.name, options=vendor.options, fields=vendor.fields, sending=QUICK, **vendor.sync
    )
    return world


#: What needs no simulation: it is started itself.
REAL = {"tryton", "vendure"}


def test_every_declaration_that_ships_is_simulated() -> None:
    shipped = {path.stem for path in catalog.SHIPPED.glob("*.yml")}
    assert {vendor.name for vendor in VENDORS} | REAL == shipped


def test_a_segment_is_mirrored_through_changes_refusals_and_faults(company: World, vendor: Simulated) -> None:
    promises.mirrors_a_segment_through_changes_refusals_and_faults(company, vendor)


RENEWED = [Zoho, Fxiaoke, GoogleAudiences, Salesforce]


@pytest.mark.parametrize("vendor", RENEWED, ids=lambda vendor: vendor.name, indirect=True)
def test_credentials_that_expire_are_renewed(
    company: World, vendor: Zoho | Fxiaoke | GoogleAudiences | Salesforce
) -> None:
    company.people(3)
    company.sync()
    company.leave(["c0001"])
    vendor.expire()
    assert company.sync().confirmed == 1
    assert vendor.members == {"c0002@example.com", "c0003@example.com"}


def test_who_withdrew_while_in_flight_is_taken_back_and_not_sent_again(
    company: World, vendor: Simulated
) -> None:
    promises.takes_back_who_withdrew_while_in_flight_and_sends_them_no_more(company, vendor)


@pytest.mark.parametrize("vendor", [Pipedrive], ids=["pipedrive"], indirect=True)
def test_one_who_was_deleted_there_holds_up_nobody_and_is_found_out(
    company: World, vendor: Pipedrive
) -> None:
    company.people(3)
    company.sync()
    gone = "c0002@example.com"
    vendor.forget(gone)
    company.sql("update marts.customers set first_name = 'Anna'")
    done = company.sync()
    assert (done.confirmed, done.refused) == (2, 1)
    assert company.sync(only_failed=True).confirmed == 1
    assert vendor.members == {f"c{number:04d}@example.com" for number in (1, 2, 3)}


@pytest.mark.parametrize("vendor", [Zendesk, Klaviyo], ids=lambda vendor: vendor.name, indirect=True)
def test_a_job_that_fails_as_a_whole_is_begun_again(company: World, vendor: Zendesk | Klaviyo) -> None:
    keys = company.people(3)
    vendor.refused = {keys[0]}
    vendor.failing = 1
    done = company.sync()
    assert (done.confirmed, done.refused) == (2, 1)
    assert vendor.members == set(keys[1:])
    lost = company.ctx.warehouse.value("select count(*) from activation.calls where outcome = 'again'")
    assert lost == 1
