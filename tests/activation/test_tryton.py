"""Mailing lists in Tryton itself: who is subscribed, told by its own database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_kill import killed_in_a_fork
from world import World

from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.steps import Step
from lifehouse.context import Context
from lifehouse.errors import PlatformError
from support.environments import Unavailable
from support.tryton import BARRED, LIST, Tryton, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def started() -> Iterator[Tryton]:
    try:
        with running() as server:
            yield server
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def tryton(started: Tryton) -> Tryton:
    """Its list is empty."""
    started.clear()
    return started


@pytest.fixture
def company(make_context: Callable[..., Context], tryton: Tryton, tmp_path: Path) -> World:
    """A sync that mirrors the champions in the mailing list."""
    world = World.founded(make_context, tmp_path / "project", tryton.connection)
    world.declare(platform="tryton", options={"list_id": LIST}, fields={})
    return world


def test_the_list_is_the_segment_through_joins_moves_leaves_and_repeats(
    company: World, tryton: Tryton
) -> None:
    tryton.subscribe("by.hand@example.com")
    keys = set(company.people(230))
    first = company.sync()
    assert (first.confirmed, first.refused) == (230, 0)
    assert tryton.subscribers().keys() == keys | {"by.hand@example.com"}
    assert company.sync().calls == 0

    company.leave(["c0002", "c0003"])
    company.sql("update marts.customers set email = 'Moved@Example.com' where customer_id = 'c0004'")
    second = company.sync()
    assert (second.adds, second.removes, second.refused) == (1, 3, 0)
    gone = {f"c{number:04d}@example.com" for number in (2, 3, 4)}
    assert tryton.subscribers().keys() == keys - gone | {"by.hand@example.com", "moved@example.com"}
    assert company.sync().calls == 0


def test_a_field_of_the_subscription_is_written_and_written_again(company: World, tryton: Tryton) -> None:
    company.declare(platform="tryton", options={"list_id": LIST}, fields={"email_token": "first_name"})
    company.people(3)
    company.sync()
    company.sql("update marts.customers set first_name = 'Anna' where customer_id = 'c0002'")
    done = company.sync()
    assert (done.changes, done.confirmed) == (1, 1)
    assert tryton.tokens() == {
        "c0001@example.com": "Name 1",
        "c0002@example.com": "Anna",
        "c0003@example.com": "Name 3",
    }


def test_an_address_that_tryton_refuses_is_named_with_its_reason_and_holds_up_nobody(
    company: World, tryton: Tryton
) -> None:
    keys = set(company.people(8))
    company.sql(f"update marts.customers set email = 'ann@{BARRED}' where customer_id = 'c0003'")
    done = company.sync()
    assert (done.confirmed, done.refused) == (7, 1)
    assert tryton.subscribers().keys() == keys - {"c0003@example.com"}
    query = "select customer_id, reason from activation.ledger where status = 'refused'"
    (row,) = company.ctx.warehouse.rows(query)
    assert row["customer_id"] == "c0003"
    assert "not allowed to create" in row["reason"]
    assert "ann@" not in row["reason"]


def test_who_unsubscribed_there_is_not_subscribed_again(company: World, tryton: Tryton) -> None:
    company.people(3)
    company.sync()
    tryton.unsubscribe("c0002@example.com")
    tryton.subscribe("by.hand@example.com")
    found = reconcile(company.ctx, "push", company.connection)
    assert (found.there, found.both_hold, found.only_here, found.only_there) == (3, 2, 1, 1)
    assert found.unsubscribed == 1
    tryton.unsubscribe("by.hand@example.com")
    company.leave(["c0002", "c0003"])
    company.sync()
    hand = {"by.hand@example.com": False}
    assert tryton.subscribers() == {"c0001@example.com": True, "c0002@example.com": False} | hand
    company.join(["c0002", "c0003"])
    done = company.sync()
    assert (done.confirmed, done.refused) == (1, 1)
    assert tryton.subscribers() == {
        "c0001@example.com": True,
        "c0002@example.com": False,
        "c0003@example.com": True,
        **hand,
    }
    suppressed = company.ctx.warehouse.rows("select identifier, channel from activation.suppressions")
    assert suppressed == [{"identifier": "c0002", "channel": "email"}]
    assert company.ctx.warehouse.value(
        "select refused_reason from activation.records where refused_at is not null"
    ) == ("unsubscribed there")


@pytest.mark.parametrize("step", [Step.CLAIMED, Step.ANSWERED, Step.SETTLING])
def test_a_sync_killed_on_the_way_is_completed_without_doubling_anybody(
    company: World, tryton: Tryton, step: Step
) -> None:
    keys = company.people(150)
    assert killed_in_a_fork(company, step)
    company.leave(["c0001"])
    company.sync()
    assert tryton.subscribers().keys() == set(keys[1:])
    assert company.open_rows() == 0
    assert company.sync().calls == 0


def test_a_wrong_password_ends_the_sync_and_says_so(company: World, tryton: Tryton) -> None:
    company.people(2)
    wrong = World(company.ctx, type(tryton.connection)(tryton.url, "admin", "wrong", {"database": "crm"}))
    with pytest.raises(PlatformError, match="does not let us log in"):
        wrong.sync()
    assert tryton.subscribers() == {}
