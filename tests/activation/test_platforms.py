"""Every platform that ships as a declaration, against a simulation of it: one suite over all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from simulated import Fault, Simulated
from vendors import VENDORS, Fxiaoke, GoogleAudiences, Klaviyo, Pipedrive, Salesforce, Zendesk, Zoho
from world import World

from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.plan import plan
from lifehouse.activation.platforms import catalog
from lifehouse.context import Context
from lifehouse.errors import PlatformError

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
REAL = {"tryton"}


def test_every_declaration_that_ships_is_simulated() -> None:
    shipped = {path.stem for path in catalog.SHIPPED.glob("*.yml")}
    assert {vendor.name for vendor in VENDORS} | REAL == shipped


def test_a_segment_is_mirrored_through_changes_refusals_and_faults(company: World, vendor: Simulated) -> None:
    keys = set(company.people(12))
    bad = "c0003@example.com"
    vendor.refused = {bad}
    proposed = plan(company.ctx, "push")
    assert (proposed.adds, proposed.rows) == (12, 12)

    first = company.sync()
    assert (first.confirmed, first.refused) == (11, 1)
    assert vendor.members == vendor.people.keys() == keys - {bad}
    reason = company.ctx.warehouse.value("select reason from activation.ledger where status = 'refused'")
    assert reason
    assert "@" not in reason
    assert company.sync().calls == 0

    company.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0001'")
    company.leave(["c0002"])
    company.sql("update marts.customers set email = 'D@Example.com' where customer_id = 'c0003'")
    vendor.faults.extend(
        [
            Fault(429, {"Retry-After": "0"}),
            Fault(429),
            Fault(delay=0.05),
            Fault(500),
            Fault(reset=True),
            Fault(503, applied=True),
            Fault(reset=True, applied=True),
        ]
    )
    second = company.sync()
    assert (second.confirmed, second.refused) == (3, 0)
    assert vendor.members == keys - {bad, "c0002@example.com"} | {"d@example.com"}
    assert "Anna" in str(vendor.people["c0001@example.com"])
    assert len(vendor.created) == len(set(vendor.created)) == 12, "somebody was made twice"
    assert company.sync().calls == 0


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
    company.people(4)
    company.sync()
    company.sql("update marts.customers set first_name = 'Anna' where customer_id in ('c0001', 'c0002')")
    vendor.faults.extend([Fault(reset=True, applied=True)] * 40)
    with pytest.raises(PlatformError, match="does not answer"):
        company.sync()
    company.consent("c0001", "withdrawn")
    vendor.faults.clear()
    company.sync()
    assert vendor.members == {f"c{number:04d}@example.com" for number in (2, 3, 4)}
    assert "Anna" in str(vendor.people["c0002@example.com"])
    assert company.sync().calls == 0


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
