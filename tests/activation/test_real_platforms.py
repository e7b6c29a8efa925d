"""Platforms that start here themselves, Tryton and Vendure: who is on their lists is told by their own databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import promises
import pytest
from front import Front
from history import HURRIED, holds_exactly_who_it_should_after_any_history
from test_kill import killed_in_a_fork
from world import World

from lifehouse.activation.reconcile import reconcile
from lifehouse.activation.steps import Step
from lifehouse.context import Context
from lifehouse.errors import PlatformError
from support import tryton, vendure
from support.databases import Databases
from support.environments import Unavailable

pytestmark = pytest.mark.slow

System = tryton.Tryton | vendure.Vendure
RUNNING: dict[str, Callable[[Databases], AbstractContextManager[System]]] = {
    "tryton": lambda _: tryton.running(),
    "vendure": vendure.running,
}
QUICK = {"backoff": "10ms", "attempts": 6, "patience": "30s"}
only_tryton = pytest.mark.parametrize("started", ["tryton"], indirect=True)
only_vendure = pytest.mark.parametrize("started", ["vendure"], indirect=True)


@dataclass
class There:
    """A real system, with faults in front of it."""

    system: System
    front: Front
    refused: set[str] = field(default_factory=set)
    own: str = "by.hand@example.com"

    def __post_init__(self) -> None:
        self.name, self.unwelcome, self.faults = self.system.name, self.system.unwelcome, self.front.faults
        self.clear, self.take_in = self.system.clear, self.system.subscribe
        self.take_off = self.forget = self.system.take_out
        self.wait_until_quiet = self.front.wait_until_quiet

    @property
    def members(self) -> set[str]:
        return self.system.members()

    @property
    def people(self) -> dict[str, str]:
        return self.system.values()

    @property
    def created(self) -> list[str]:
        return self.system.made()


@pytest.fixture(scope="module", params=RUNNING)
def started(request: pytest.FixtureRequest, databases: Databases) -> Iterator[System]:
    try:
        with RUNNING[request.param](databases) as system:
            yield system
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def there(started: System) -> Iterator[There]:
    """Nobody is on its list."""
    started.clear()
    with Front(started.url) as front:
        yield There(started, front)


@pytest.fixture
def company(make_context: Callable[..., Context], there: There, tmp_path: Path) -> World:
    """A sync that mirrors the champions there."""
    own = replace(there.system.connection, url=there.front.url)
    world = World.founded(make_context, tmp_path / "project", own)
    world.declare(platform=there.system.name, options=there.system.options, fields={}, sending=QUICK)
    return world


def with_a_field(company: World, there: There, **more: object) -> None:
    """The sync also sends their first name."""
    system = there.system
    said = {"fields": {system.field: "first_name"}, "sending": QUICK, **more}
    company.declare(platform=system.name, options=system.options, **said)


def test_a_segment_is_mirrored_through_changes_refusals_and_faults(company: World, there: There) -> None:
    with_a_field(company, there)
    promises.mirrors_a_segment_through_changes_refusals_and_faults(company, there)


def test_who_withdrew_while_in_flight_is_taken_back_and_not_sent_again(company: World, there: There) -> None:
    with_a_field(company, there, sending={**QUICK, "patience": "500ms"})
    promises.takes_back_who_withdrew_while_in_flight_and_sends_them_no_more(company, there)


def test_the_list_is_the_segment_through_joins_moves_leaves_and_repeats(company: World, there: There) -> None:
    there.system.subscribe("by.hand@example.com")
    keys = set(company.people(230))
    first = company.sync()
    assert (first.confirmed, first.refused) == (230, 0)
    assert there.members == keys | {"by.hand@example.com"}
    assert company.sync().calls == 0

    company.leave(["c0002", "c0003"])
    company.sql("update marts.customers set email = 'Moved@Example.com' where customer_id = 'c0004'")
    second = company.sync()
    assert (second.adds, second.removes, second.refused) == (1, 3, 0)
    gone = {f"c{number:04d}@example.com" for number in (2, 3, 4)}
    assert there.members == keys - gone | {"by.hand@example.com", "moved@example.com"}
    assert company.sync().calls == 0


def test_who_is_refused_is_named_with_the_reason_and_holds_up_nobody(company: World, there: There) -> None:
    keys = set(company.people(8))
    company.sql("update marts.customers set email = %s where customer_id = 'c0003'", there.unwelcome)
    done = company.sync()
    assert (done.confirmed, done.refused) == (7, 1)
    assert there.members == keys - {"c0003@example.com"}
    query = "select customer_id, reason from activation.ledger where status = 'refused'"
    (row,) = company.ctx.warehouse.rows(query)
    assert row["customer_id"] == "c0003"
    assert there.system.refusal in row["reason"]
    assert there.unwelcome.split("@")[0] not in row["reason"]


def test_a_session_that_ends_on_the_way_is_begun_again(company: World, there: There) -> None:
    keys = set(company.people(150))
    there.front.before.extend([lambda: None, lambda: None, there.system.end_sessions])
    done = company.sync()
    assert (done.confirmed, done.refused) == (150, 0)
    assert not there.front.before
    assert there.members == keys


@pytest.mark.parametrize("step", [Step.CLAIMED, Step.ANSWERED, Step.SETTLING])
def test_a_sync_killed_on_the_way_is_completed_without_doubling_anybody(
    company: World, there: There, step: Step
) -> None:
    keys = company.people(150)
    assert killed_in_a_fork(company, step)
    there.wait_until_quiet()
    company.leave(["c0001"])
    company.sync()
    assert there.members == set(keys[1:])
    assert len(there.created) == len(set(there.created))
    assert company.open_rows() == 0
    assert company.sync().calls == 0


def test_a_wrong_password_ends_the_sync_and_says_so(company: World, there: There) -> None:
    company.people(2)
    wrong = World(company.ctx, replace(company.connection, secret="wrong"))
    with pytest.raises(PlatformError, match="does not let us log in"):
        wrong.sync()
    assert there.members == set()


def test_who_is_there_is_read_back_and_put_right(company: World, there: There) -> None:
    company.people(230)
    company.sync()
    there.system.subscribe("by.hand@example.com")
    there.system.take_out("c0002@example.com")
    found = reconcile(company.ctx, "push", company.connection, repair=True)
    assert (found.there, found.ours, found.only_here, found.only_there) == (230, 230, 1, 1)
    assert company.sync().confirmed == 1
    assert "c0002@example.com" in there.members


def test_after_any_history_it_holds_exactly_who_it_should(company: World, there: There) -> None:
    with_a_field(company, there, **HURRIED)
    holds_exactly_who_it_should_after_any_history(company, there, examples=3)


@only_tryton
def test_who_unsubscribed_there_is_not_subscribed_again(company: World, started: tryton.Tryton) -> None:
    company.people(3)
    company.sync()
    started.unsubscribe("c0002@example.com")
    started.subscribe("by.hand@example.com")
    found = reconcile(company.ctx, "push", company.connection)
    assert (found.there, found.both_hold, found.only_here, found.only_there) == (3, 2, 1, 1)
    assert found.unsubscribed == 1
    started.unsubscribe("by.hand@example.com")
    company.leave(["c0002", "c0003"])
    company.sync()
    hand = {"by.hand@example.com": False}
    assert started.subscribers() == {"c0001@example.com": True, "c0002@example.com": False} | hand
    company.join(["c0002", "c0003"])
    done = company.sync()
    assert (done.confirmed, done.refused) == (1, 1)
    assert started.subscribers() == {
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


@only_tryton
def test_update_subscribes_nobody(company: World, there: There, started: tryton.Tryton) -> None:
    with_a_field(company, there, mode="update")
    company.people(3)
    started.subscribe("c0002@example.com")
    done = company.sync()
    assert (done.confirmed, done.refused) == (1, 2)
    assert started.values() == {"c0002@example.com": "Name 2"}
    started.subscribe("c0003@example.com")
    assert company.sync(only_failed=True).confirmed == 1
    assert started.values() == {"c0002@example.com": "Name 2", "c0003@example.com": "Name 3"}


@only_vendure
def test_who_was_taken_out_by_hand_leaves_in_peace_and_who_changed_their_address_stays(
    company: World, started: vendure.Vendure
) -> None:
    company.people(5)
    company.sync()
    started.take_out("c0002@example.com")
    started.rename("c0004@example.com", "new@example.com")
    company.leave(["c0002", "c0003"])
    company.sql("update marts.customers set email = 'new@example.com' where customer_id = 'c0004'")
    done = company.sync()
    assert (done.removes, done.adds, done.refused) == (3, 1, 0)
    assert started.members() == {"c0001@example.com", "new@example.com", "c0005@example.com"}


@only_vendure
def test_fields_of_the_shops_own_are_written_and_a_wrong_value_is_its_rows(
    company: World, started: vendure.Vendure
) -> None:
    company.declare(
        platform="vendure",
        mode="update",
        options=started.options,
        fields={"title": "status_stage", "customFields.points": "net_revenue"},
        sending=QUICK,
    )
    company.people(30)
    company.sql("update marts.customers set net_revenue = 1.5 where customer_id = 'c0007'")
    company.sql("update marts.customers set net_revenue = null where customer_id = 'c0008'")
    done = company.sync()
    assert (done.confirmed, done.refused) == (29, 1)
    assert len(started.members()) == 29
    told = dict(
        started.query('select "emailAddress", "customFieldsPoints" from customer where title = \'active\'')
    )
    assert told == {f"c{n:04d}@example.com": None if n == 8 else n for n in range(1, 31) if n != 7}
    query = "select customer_id, reason from activation.ledger where status = 'refused'"
    (row,) = company.ctx.warehouse.rows(query)
    assert (row["customer_id"], "Int cannot represent" in row["reason"]) == ("c0007", True)


@only_vendure
def test_a_group_that_is_not_there_ends_the_sync_and_refuses_nobody(
    company: World, started: vendure.Vendure
) -> None:
    company.declare(platform="vendure", options={"group_id": 77}, fields={}, sending=QUICK)
    company.people(3)
    with pytest.raises(PlatformError, match="there is no such customer group"):
        company.sync()
    assert company.open_rows() == 3


@only_vendure
def test_a_database_that_is_lost_on_the_way_refuses_nobody(
    company: World, there: There, started: vendure.Vendure
) -> None:
    keys = set(company.people(1))
    there.front.before.extend([lambda: None, started.lose_database])
    done = company.sync()
    assert (done.confirmed, done.refused) == (1, 0)
    assert started.members() == keys


@only_vendure
def test_a_channel_is_the_one_that_the_sync_says(company: World, started: vendure.Vendure) -> None:
    company.people(2)
    company.declare(platform="vendure", options={**started.options, "channel": vendure.RESELLERS}, fields={})
    done = company.sync()
    assert (done.confirmed, done.refused) == (0, 2)
    company.declare(platform="vendure", options={**started.options, "channel": "nowhere"}, fields={})
    with pytest.raises(PlatformError, match='No Channel with the token "nowhere"'):
        company.sync(only_failed=True)
    company.declare(platform="vendure", options=started.options, fields={})
    assert company.sync(only_failed=True).confirmed == 2
