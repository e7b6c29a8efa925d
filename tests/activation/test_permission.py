"""Who is kept back though they consented: suppressed, left out, reached often enough; and who is let in by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fault_receiver import Fault, Receiver
from simulated import Simulated
from typer.testing import CliRunner
from vendors import Iterable, Mailchimp
from world import World

from lifehouse.activation import inspection, picks, run, suppressions
from lifehouse.activation.connection import PlatformConnection
from lifehouse.activation.declaration import find_sync
from lifehouse.activation.plan import plan
from lifehouse.activation.steps import Step
from lifehouse.cli.app import build
from lifehouse.errors import ConfigError, LifehouseError, PlatformError


def suppress(world: World, *who: str, kind: str = "email", **scope: object) -> int:
    return suppressions.add(world.ctx, kind, who, reason="asked us to", author="ann", **scope)  # type: ignore[arg-type]


def pick(world: World, customer: str, *, is_in: bool, until: datetime | None = None) -> None:
    order = find_sync(world.ctx.project, "push")
    picks.pick(world.ctx, order, customer, is_in=is_in, reason="seed list", author="ann", until=until)


def keys(*numbers: int) -> set[str]:
    return {f"c{number:04d}@example.com" for number in numbers}


def told(world: World, customer: str) -> str:
    return "; ".join(inspection.standing(world.ctx, find_sync(world.ctx.project, "push"), customer).sentences)


def test_one_on_a_list_is_removed_and_not_sent_again_until_lifted(world: World, receiver: Receiver) -> None:
    world.people(5)
    world.sync()
    assert suppress(world, " C0001@Example.com", "c0002@example.com") == 2
    assert suppress(world, "c0001@example.com") == 0
    assert suppress(world, "c0003", kind="customer") == 1
    assert plan(world.ctx, "push").suppressed == 3
    assert world.sync().removes == 3
    assert receiver.keys("push") == keys(4, 5)
    assert "is kept back: suppressed by a list" in told(world, "c0001")
    kept = world.ctx.warehouse.rows("select to_jsonb(s)::text as kept from activation.suppressions as s")
    assert not any("example.com" in row["kept"] for row in kept)
    assert suppressions.lift(world.ctx, "email", ["c0001@example.com"], author="ben") == 1
    assert world.sync().adds == 1
    assert receiver.keys("push") == keys(1, 4, 5)


def test_a_suppression_is_of_a_channel_an_account_and_a_time_if_it_says_so(world: World) -> None:
    world.people(6)
    now = datetime.now(UTC)
    suppress(world, "c0001@example.com", channel="sms")
    suppress(world, "c0002@example.com", account="elsewhere")
    suppress(world, "c0003@example.com", until=now - timedelta(days=1))
    suppress(world, "c0004@example.com", channel="email", account="receiver", until=now + timedelta(days=1))
    proposed = plan(world.ctx, "push")
    assert (proposed.suppressed, proposed.desired) == (1, 5)
    with pytest.raises(LifehouseError, match="1 of 2 given: no e-mail address; nothing was changed"):
        suppress(world, "c0005@example.com", "c0006")
    assert plan(world.ctx, "push").suppressed == 1


def test_one_who_was_merged_stays_suppressed_and_so_does_one_who_appears_later(
    world: World, receiver: Receiver
) -> None:
    world.people(4)
    suppress(world, "c0003", kind="customer")
    suppress(world, "c0004@example.com", "unknown@example.com")
    world.merge("c0003", "c0001")
    world.merge("c0004", "c0002")
    assert plan(world.ctx, "push").suppressed == 2
    world.sql("insert into marts.customers (customer_id, email) values ('c0009', 'c0009@example.com')")
    world.sql("insert into marts.customer_identifiers values ('c0009', 'email', 'unknown@example.com')")
    world.consent("c0009", "granted")
    world.join(["c0009"])
    assert world.sync().adds == 0
    assert not receiver.requests


def test_a_suppression_between_plan_and_send_keeps_the_row_back(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people(3)
    monkeypatch.setattr(
        run, "checkpoint", lambda step: step == Step.PLANNED and suppress(world, "c0002@example.com")
    )
    done = world.sync()
    assert (done.confirmed, done.withdrawn) == (2, 1)
    assert receiver.keys("push") == keys(1, 3)
    assert world.sync().calls == 0


def test_one_who_left_the_segment_of_an_upsert_is_removed_once_suppressed(
    world: World, receiver: Receiver
) -> None:
    world.declare(mode="upsert")
    world.people(3)
    world.sync()
    world.leave(["c0001", "c0002"])
    suppress(world, "c0001@example.com")
    assert world.sync().removes == 1
    assert receiver.keys("push") == keys(2, 3)


def test_one_who_unsubscribed_at_the_platform_is_not_sent_there_again_before_a_newer_grant(
    world: World, receiver: Receiver
) -> None:
    world.people(3)
    receiver.refuse = lambda action, key, fields: "unsubscribed" if key in keys(2) else None
    assert world.sync().refused == 1
    receiver.refuse = lambda action, key, fields: None
    world.consent("c0002", "granted", "2018-01-01")  # on record before they unsubscribed
    assert world.sync(only_failed=True).calls == 0
    assert world.sync().calls == 0
    assert "is kept back: suppressed by a list, or unsubscribed there" in told(world, "c0002")
    world.merge("c0002", "c0001")
    world.consent("c0001", "granted", "2018-01-01")
    assert world.sync().removes == 1  # they are one person
    world.consent("c0001", "granted", (datetime.now(UTC) + timedelta(minutes=1)).isoformat())
    assert world.sync().adds == 1
    assert receiver.keys("push") == keys(1, 3)


@pytest.mark.parametrize("kind", [Mailchimp, Iterable], ids=lambda kind: kind.name)
def test_a_declared_platform_tells_who_unsubscribed_from_who_is_refused(
    world: World, kind: type[Simulated]
) -> None:
    world.declare(platform=kind.name, options=kind.options, fields=kind.fields)
    world.people(3)
    with kind() as vendor:
        world.connection = PlatformConnection(vendor.url, login="login", secret="secret")
        vendor.refused, vendor.barred = keys(1), keys(2)
        assert world.sync().refused == 2
        vendor.barred.clear()
        vendor.refused.clear()
        assert world.sync(only_failed=True).confirmed == 1
        assert vendor.members == keys(1, 3)
    [kept] = world.ctx.warehouse.rows(
        "select identifier, channel, account, author from activation.suppressions"
    )
    assert kept == {"identifier": "c0002", "channel": "email", "account": "receiver", "author": "receiver"}


def test_hand_picked_members_are_in_and_out_but_consent_and_suppressions_win(
    world: World, receiver: Receiver
) -> None:
    world.people(8)
    world.leave(["c0005", "c0006", "c0007", "c0008"])
    world.declare(holdout={"share": 0.99, "salt": "s"})
    world.sync()
    assert receiver.keys("push") == set()
    for customer in ("c0001", "c0005", "c0006", "c0007"):
        pick(world, customer, is_in=True)
    pick(world, "c0008", is_in=True, until=datetime.now(UTC) - timedelta(days=1))
    world.consent("c0006", "withdrawn")
    suppress(world, "c0007@example.com")
    world.sync()
    assert receiver.keys("push") == keys(1, 5)
    assert "is no member of champions in release 1; was picked in by hand" in told(world, "c0005")
    assert "is held out" in told(world, "c0002")
    pick(world, "c0005", is_in=False)
    picks.unpick(world.ctx, find_sync(world.ctx.project, "push"), "c0001", author="ann")
    pick(world, "c0002", is_in=False)
    world.sync()
    assert not receiver.keys("push") & keys(2, 5)
    assert "a person left them out by hand" in told(world, "c0002")
    with pytest.raises(LifehouseError, match="there is no customer 'nobody'"):
        pick(world, "nobody", is_in=True)


@pytest.fixture
def capped(world: World) -> World:
    """Two syncs of one kind, of which one may reach a customer in a week."""
    root = world.ctx.project.root
    with (root / "lifehouse.yml").open("a") as marker:
        marker.write("caps:\n  promotion: {at_most: 1, within: 7d}\n")
    world.people(4)
    world.join(["c0001", "c0002", "c0003"], "status_lost")
    world.declare(kind="promotion")
    world.declare("win_back", segment="status_lost", kind="promotion", account="other")
    return world


def test_a_kind_reaches_a_customer_no_more_often_than_its_cap_of_all_syncs(
    capped: World, receiver: Receiver
) -> None:
    capped.leave(["c0001"])
    capped.join(["c0001"], "status_lost")
    assert capped.sync("win_back").confirmed == 3
    assert plan(capped.ctx, "push").capped == 2
    assert capped.sync().confirmed == 1
    assert receiver.keys("push") == keys(4)
    assert "has had as much of the kind promotion as its cap allows" in told(capped, "c0002")
    assert (capped.sync().calls, capped.sync("win_back").calls) == (0, 0)  # nobody is taken back by a cap
    capped.sql("update activation.batches set settled_at = settled_at - interval '8 days'")
    assert capped.sync().confirmed == 2


def test_what_is_in_flight_counts_and_a_cap_is_asked_again_when_sending(
    capped: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    capped.declare(
        "win_back", segment="status_lost", kind="promotion", account="other", sending={"attempts": 1}
    )
    receiver.faults.append(Fault(500, applied=True))
    sent = capped.sync
    reached: list[int] = []

    def meanwhile(step: Step) -> None:
        if step == Step.PLANNED and not reached:
            reached.append(1)
            with pytest.raises(PlatformError):
                sent("win_back")

    monkeypatch.setattr(run, "checkpoint", meanwhile)
    done = capped.sync()
    assert (done.adds, done.confirmed, done.withdrawn) == (4, 1, 3)
    assert receiver.keys("push") == keys(4)
    assert capped.sync("win_back").confirmed == 3
    assert receiver.keys("win_back") == keys(1, 2, 3)


def test_a_kind_without_a_cap_is_told_with_the_nearest(capped: World) -> None:
    capped.declare(kind="promotions")
    with pytest.raises(ConfigError, match=r"push.yml:\d+: kind: .* 'promotions'; did you mean 'promotion'"):
        capped.sync()


def test_the_command_line_keeps_people_out_without_showing_them(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIFEHOUSE_PROJECT", str(world.ctx.project.root))
    monkeypatch.setenv("LIFEHOUSE_HOME", str(world.ctx.home.path))
    monkeypatch.setenv("LIFEHOUSE_WAREHOUSE_URL", world.ctx.warehouse.url)
    monkeypatch.setenv("COLUMNS", "200")
    world.people(4)
    listed = tmp_path / "list.txt"
    listed.write_text("c0001@example.com\n\nc0002@example.com\n")

    def lifehouse(*words: str) -> str:
        shown = CliRunner().invoke(build(), list(words), catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return shown.output

    assert "2 suppressed" in lifehouse("suppress", "add", f"@{listed}", "--reason", "court order")
    assert "1 lifted" in lifehouse("suppress", "remove", "c0002@example.com")
    shown = lifehouse("suppress", "list")
    assert "court order" in shown
    assert "example.com" not in shown
    assert "c0003 is picked out" in lifehouse(
        "sync", "pick", "push", "c0003", "--out", "--reason", "our own staff"
    )
    assert "our own staff" in lifehouse("sync", "picks", "push")
    shown = lifehouse("plan", "push")
    assert "suppressed" in shown
    assert "left out" in shown
    assert "decide on c0003 again" in lifehouse("sync", "unpick", "push", "c0003")
